import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { after, before, test } from "node:test";
import { type Collection, MongoClient, MongoServerError } from "mongodb";
import { describeUnless } from "../support/describe-unless.ts";

const documentCount = 250;
const documentBytes = 1_000_000;
/** A query's own 100 MB, replies of 16 MiB on their way, the process itself; below what all documents would take. */
const residentMaxBytes = 400 * 1_048_576;
/** With the disk: what was written and read is let go of late. Below what all documents and the keys of their order would take, which is twice 250 MB. */
const residentWithDiskMaxBytes = 520 * 1_048_576;
const skip = existsSync("/proc/self/status") ? false : "the system does not tell what a process holds";

interface Large {
  readonly _id: number;
  readonly n: number;
  readonly text: string;
  readonly changed?: boolean;
}

describeUnless(skip, "a database of 250 documents of 1 MB in a process of its own", () => {
  let child: ChildProcess;
  let client: MongoClient;
  let collection: Collection<Large>;

  before(async () => {
    const script = resolve(import.meta.dirname, "../support/wire-world-process.ts");
    child = spawn(process.execPath, [script], { stdio: ["pipe", "pipe", "inherit"] });
    const [line] = (await once(child.stdout as NonNullable<ChildProcess["stdout"]>, "data")) as [Buffer];
    const port = /port (\d+)/.exec(line.toString())?.[1];
    client = new MongoClient(`mongodb://admin:password@127.0.0.1:${port}/?replicaSet=rs&authSource=admin`);
    collection = client.db("test").collection<Large>("large");
    for (let _id = 0; _id < documentCount; _id += 10)
      await collection.insertMany(
        Array.from({ length: 10 }, (_, more) => ({ _id: _id + more, n: -_id - more, text: letters(_id + more) })),
      );
  });
  after(async () => {
    await client.close();
    const ended = once(child, "exit");
    child.stdin?.end();
    await ended;
  });

  /** Another text for each number. */
  const letters = (number: number): string =>
    String(number)
      .padStart(8, "0")
      .repeat(documentBytes / 8);

  function refusedWith(...codes: readonly number[]): (run: () => Promise<unknown>) => Promise<void> {
    return (run) =>
      assert.rejects(run, (error) => {
        assert.ok(error instanceof MongoServerError && codes.includes(Number(error.code)), String(error));
        return true;
      });
  }

  function assertBounded(maxBytes: number = residentMaxBytes): void {
    const peak = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${child.pid}/status`, "utf8"))?.[1];
    const bytes = Number(peak) * 1024;
    assert.ok(bytes <= maxBytes, `${Math.round(bytes / 1_048_576)} MiB were held at the worst moment`);
  }

  test("whatever need not hold all of it does it in bounded memory", async () => {
    assert.equal(await collection.countDocuments({ n: { $lte: 0 } }), documentCount);
    const [last] = await collection.find({}, { sort: { n: 1 }, limit: 1 }).toArray();
    assert.equal(last?._id, documentCount - 1);
    const largest = await collection.findOneAndUpdate({}, { $set: { changed: true } }, { sort: { n: 1 } });
    assert.equal(largest?._id, documentCount - 1);
    await collection.createIndex({ n: 1 });
    const { modifiedCount } = await collection.updateMany({ n: { $gt: -120 } }, { $set: { changed: true } });
    assert.equal(modifiedCount, 120);
    const grouped = await collection.aggregate([{ $group: { _id: "$changed", n: { $sum: "$n" } } }]).toArray();
    assert.equal(grouped.length, 2);
    await collection.aggregate([{ $match: { n: { $gt: -40 } } }, { $out: "copied" }]).toArray();
    assertBounded();
  });

  test("what sorts and groups more than 100 MB does it on the disk, and is refused where it must not", async () => {
    const ids = async (): Promise<number[]> =>
      (await collection.find({}, { sort: { text: -1 }, projection: { _id: 1 } }).toArray()).map(({ _id }) => _id);
    const all = Array.from({ length: documentCount }, (_, _id) => _id);
    assert.deepEqual(await ids(), all.toReversed());
    const groups = await collection
      .aggregate([{ $group: { _id: "$text", n: { $sum: 1 } } }, { $count: "n" }])
      .toArray();
    assert.deepEqual(groups, [{ n: documentCount }]);
    const pushed = { $group: { _id: { $mod: ["$_id", 20] }, all: { $push: "$text" } } };
    const sizes = await collection.aggregate([pushed, { $project: { n: { $size: "$all" } } }, { $sort: { _id: 1 } }]);
    assert.deepEqual(
      (await sizes.toArray()).map(({ n }) => n),
      Array.from({ length: 20 }, (_, n) => (n < 10 ? 13 : 12)),
    );
    const inMemory = { allowDiskUse: false };
    const refused = refusedWith(292);
    await refused(() => collection.find({}, { sort: { text: 1 }, ...inMemory }).toArray());
    await refused(() => collection.aggregate([{ $sort: { text: -1 } }], inMemory).toArray());
    await refused(() => collection.aggregate([{ $group: { _id: "$text" } }], inMemory).toArray());
    const { executionStats } = await collection.find({}, { sort: { text: 1 } }).explain();
    assert.equal(executionStats.executionStages.usedDisk, true);
    assertBounded(residentWithDiskMaxBytes);
  });

  test("whatever else would hold more than 100 MB is refused before it does", async () => {
    const refused = refusedWith(146, 17_217, 10_334, 4_031_700, 17_419);
    await refused(() => collection.aggregate([{ $group: { _id: 1, all: { $push: "$$ROOT" } } }]).toArray());
    await refused(() => collection.aggregate([{ $group: { _id: 1, all: { $addToSet: "$text" } } }]).toArray());
    await refused(() => collection.aggregate([{ $facet: { all: [{ $match: {} }] } }]).toArray());
    await refused(() => collection.distinct("text"));
    assertBounded(residentWithDiskMaxBytes);
  });
});
