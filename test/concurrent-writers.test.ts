import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { deserialize, type Document, serialize } from "bson";
import { type Collection, MongoClient } from "mongodb";
import { applyDifference } from "../src/engine/index.ts";
import {
  type ApiCaller,
  apiCaller,
  eventually,
  restoreSnapshot,
  startTelamon,
  takeSnapshot,
  type TelamonProcess,
  temporaryDataDirectory,
} from "./support/telamon-process.ts";

const writers = 8;

interface Thing {
  readonly _id: string;
  readonly [field: string]: unknown;
}

describe(`a snapshot taken while ${writers} clients write`, () => {
  const data = temporaryDataDirectory();
  let telamon: TelamonProcess;
  let caller: ApiCaller;
  let serverless: string;
  before(async () => {
    telamon = await startTelamon(data.path, "--demo");
    caller = await apiCaller(telamon.credentials);
    serverless = `/api/atlas/v2/groups/${telamon.credentials.groupId}/serverless`;
  });
  after(async () => {
    await telamon.stop();
    data.remove();
  });

  test("holds exactly what had been written at one moment of the operation log, and nothing acknowledged before is missing", async () => {
    const uri = telamon.credentials.demo?.connectionString ?? "";
    const client = new MongoClient(uri, { maxPoolSize: writers });
    try {
      const things = client.db("busy").collection<Thing>("things");
      await things.insertMany(Array.from({ length: 3000 }, (_, n) => ({ _id: `first-${n}`, text: "x".repeat(300) })));
      const stop = new AbortController();
      const acknowledged = new Map<string, number>();
      const writing = Array.from({ length: writers }, (_, writer) => write(things, writer, acknowledged, stop.signal));
      await until(() => acknowledged.size === writers);
      const before = new Map(acknowledged);
      const snapshot = await takeSnapshot(caller, `${serverless}/Instance0`);
      assert.equal(snapshot.status, "completed");
      stop.abort();
      await Promise.all(writing);
      const restored = await restoreElsewhere(snapshot.id);
      for (const [writer, step] of before)
        assert.ok((restored.get(`counter-${writer}`)?.["step"] as number) >= step, `${writer} had written ${step}`);
      assert.ok(await wasEver(restored, client), "no moment of the operation log has these documents");
    } finally {
      await client.close();
    }
  });

  /** Documents of the snapshot by `_id`, out of another instance. */
  async function restoreElsewhere(snapshotId: string): Promise<ReadonlyMap<string, Document>> {
    await caller.request("POST", serverless, {
      name: "Target",
      providerSettings: { backingProviderName: "AWS", providerName: "SERVERLESS", regionName: "US_EAST_1" },
    });
    const target = await eventually("the target", async () => {
      const { body } = await caller.request("GET", `${serverless}/Target`);
      const { stateName, connectionStrings } = body as {
        readonly stateName: string;
        readonly connectionStrings: { readonly standardSrv: string };
      };
      return stateName === "IDLE" ? connectionStrings.standardSrv : undefined;
    });
    const { failed } = await restoreSnapshot(caller, `${serverless}/Instance0`, {
      snapshotId,
      targetClusterName: "Target",
      targetGroupId: telamon.credentials.groupId,
    });
    assert.ok(!failed);
    const { username, password } = telamon.credentials.demo ?? { username: "", password: "" };
    const client = new MongoClient(target, { auth: { username, password } });
    try {
      const documents = await client.db("busy").collection<Document>("things").find().toArray();
      return new Map(documents.map((document) => [String(document["_id"]), document]));
    } finally {
      await client.close();
    }
  }
});

/** Inserts, changes and deletes, telling after each round what the server has acknowledged. */
async function write(
  things: Collection<Thing>,
  writer: number,
  acknowledged: Map<string, number>,
  signal: AbortSignal,
): Promise<void> {
  for (let step = 1; !signal.aborted; step += 1) {
    await things.insertOne({ _id: `${writer}-${step}`, step });
    await things.updateOne({ _id: `first-${(step * 7 + writer * 375) % 3000}` }, { $set: { by: writer, step } });
    await things.deleteOne({ _id: `${writer}-${step - 20}` });
    await things.updateOne({ _id: `counter-${writer}` }, { $set: { step } }, { upsert: true });
    acknowledged.set(String(writer), step);
  }
}

/** Whether, after some entry of the operation log, the collection had exactly these documents. */
async function wasEver(wanted: ReadonlyMap<string, Document>, client: MongoClient): Promise<boolean> {
  const bytesOf = (document: Document | undefined): string =>
    document === undefined ? "" : Buffer.from(serialize(document)).toString("latin1");
  const expected = new Map([...wanted].map(([id, document]) => [id, bytesOf(document)]));
  const state = new Map<string, string>();
  let different = expected.size;
  const log = client.db("local").collection<Document>("oplog.rs").find({ ns: "busy.things" }).sort({ $natural: 1 });
  for await (const { op, o, o2 } of log) {
    const id = String(((o2 ?? o) as Document)["_id"]);
    const before = state.get(id);
    const now = op === "i" ? bytesOf(o as Document) : op === "d" ? "" : changed(before ?? "", o as Document);
    different += Number(now !== (expected.get(id) ?? "")) - Number((before ?? "") !== (expected.get(id) ?? ""));
    state.set(id, now);
    if (different === 0) return true;
  }
  return false;
}

/** The bytes after an update entry. */
function changed(before: string, o: Document): string {
  const bytes =
    o["diff"] === undefined
      ? serialize(o)
      : applyDifference(Buffer.from(before, "latin1"), serialize(o["diff"] as Document));
  // Through the driver's own types and back, as what was read by it is compared.
  return Buffer.from(serialize(deserialize(bytes))).toString("latin1");
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((fulfil) => setTimeout(fulfil, 5));
}
