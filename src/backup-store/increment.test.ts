import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Binary, Decimal128, Double, Long, MaxKey, MinKey, ObjectId, serialize, Timestamp } from "bson";
import fc from "fast-check";
import {
  type Documents,
  changesOf,
  document,
  facts,
  idOf,
  inPieces,
  memoryStore,
  nameOf,
  nextSnapshotId,
  orders,
  requireEqual,
  takeFull,
} from "../../test/support/increment-world.ts";
import { type ChangedDocuments, IncrementRefused } from "../ports/snapshot-repository.ts";
import { compareIds, leadingId } from "../shared/id-order.ts";

/** Every type whose order is known, long ones that are the same for more than 64 bytes among them. */
const ids = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 3000 }) },
  fc.double(),
  fc.double().map((number) => new Double(number)),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((number) => Long.fromBigInt(number)),
  fc.string(),
  { weight: 3, arbitrary: fc.nat({ max: 400 }).map((number) => `${"long ".repeat(13)}${number}`) },
  fc.uint8Array({ minLength: 12, maxLength: 12 }).map((bytes) => new ObjectId(bytes)),
  fc.uint8Array({ maxLength: 80 }).map((bytes) => new Binary(bytes)),
  fc.boolean(),
  fc.date({ noInvalidDate: true }),
  fc.record({ t: fc.nat({ max: 2 ** 31 - 1 }), i: fc.nat({ max: 5 }) }).map((time) => new Timestamp(time)),
  fc.constantFrom(null, new MinKey(), new MaxKey()),
  fc.record({ a: fc.nat({ max: 20 }), b: fc.string({ maxLength: 90 }) }),
);

const lengths = fc.oneof(
  { weight: 12, arbitrary: fc.nat({ max: 2000 }) },
  { weight: 2, arbitrary: fc.integer({ min: 10_000, max: 50_000 }) },
  fc.integer({ min: 60_000, max: 70_000 }),
);

const someDocuments = (maxLength: number) => fc.array(fc.tuple(ids, lengths), { maxLength, size: "max" });

/** The last of those that are equal in order counts: 1 and 1.0 are one `_id`. */
function collected(pairs: readonly (readonly [unknown, number])[]): Map<string, Buffer> {
  const byOrder: string[] = [];
  const documents = new Map<string, Buffer>();
  for (const [id, length] of pairs) {
    const name = nameOf(id);
    const same = byOrder.find((other) => compareIds(idOf(other), idOf(name)) === 0);
    if (same === undefined) byOrder.push(name);
    documents.set(same ?? name, document(id, length));
  }
  return new Map([...documents.values()].map((bytes) => [leadingId(bytes)?.toString("latin1") as string, bytes]));
}

describe("an increment", () => {
  test("is what writing everything would have made, chunk for chunk, whatever changed", async () => {
    await fc.assert(
      fc.asyncProperty(
        someDocuments(250),
        someDocuments(30),
        fc.array(fc.nat(), { maxLength: 40 }),
        fc.array(fc.nat(), { maxLength: 5 }),
        async (first, written, removed, unchanged) => {
          const repository = await memoryStore();
          const before = collected(first);
          const after = new Map(before);
          const names = [...before.keys()];
          for (const number of removed) after.delete(names[number % names.length] ?? "");
          for (const [name, bytes] of collected(written)) {
            for (const other of after.keys()) if (compareIds(idOf(other), idOf(name)) === 0) after.delete(other);
            after.set(name, bytes);
          }
          const { manifestKey } = await takeFull(repository, before);
          const told = unchanged.map((number) => names[number % names.length] ?? "");
          await requireEqual(repository, manifestKey, () => distinct(changesOf(before, after, told)), after);
        },
      ),
      { numRuns: 60, endOnFailure: true },
    );
  });

  test("of an increment of an increment is still that, and the last one is as small as it was", async () => {
    const repository = await memoryStore();
    let state: Documents = new Map(
      Array.from({ length: 3000 }, (_, number) => [nameOf(number), document(number, 200 + ((number * 7919) % 900))]),
    );
    let { manifestKey } = await takeFull(repository, state);
    for (let round = 1; round <= 12; round += 1) {
      const after = new Map(state);
      for (let count = 0; count < 20; count += 1) {
        const number = (round * 997 + count * 131) % 3300;
        if (count % 5 === 0) after.delete(nameOf(number));
        else after.set(nameOf(number), document(number, 150 + ((number * round) % 1000)));
      }
      manifestKey = await requireEqual(repository, manifestKey, () => changesOf(state, after), after);
      state = after;
    }
  });

  for (const [what, change] of [
    ["nothing", () => undefined],
    ["everything deleted", (after) => after.clear()],
    ["the first deleted", (after) => after.delete(nameOf(0))],
    ["the last deleted", (after) => after.delete(nameOf(999))],
    ["some before the first", (after) => after.set(nameOf(-1), document(-1, 100))],
    ["some behind the last", (after) => after.set(nameOf(1000), document(1000, 100))],
    ["every document", (after) => [...after.keys()].forEach((name, number) => after.set(name, document(number, 333)))],
  ] as readonly [string, (after: Map<string, Buffer>) => unknown][])
    test(`with ${what} is that too`, async () => {
      const repository = await memoryStore();
      const before = new Map(Array.from({ length: 1000 }, (_, number) => [nameOf(number), document(number, 300)]));
      const after = new Map(before);
      change(after);
      const { manifestKey } = await takeFull(repository, before);
      await requireEqual(repository, manifestKey, () => changesOf(before, after), after);
    });

  test("of an empty collection holds what came, or nothing", async () => {
    for (const count of [0, 1, 1000]) {
      const repository = await memoryStore();
      const after = new Map(Array.from({ length: count }, (_, number) => [nameOf(number), document(number, 100)]));
      const { manifestKey } = await takeFull(repository, new Map());
      await requireEqual(repository, manifestKey, () => changesOf(new Map(), after), after);
    }
  });

  test("a chunk that ended because the next document did not fit takes it when it has become smaller", async () => {
    for (const size of [20_000, 33_000, 47_000]) {
      const repository = await memoryStore();
      const before = new Map(Array.from({ length: 20 }, (_, number) => [nameOf(number), document(number, size)]));
      const { manifestKey } = await takeFull(repository, before);
      for (let number = 0; number < 20; number += 1) {
        const after = new Map(before).set(nameOf(number), document(number, 100));
        await requireEqual(repository, manifestKey, () => changesOf(before, after), after);
      }
    }
  });

  for (const [what, id] of [
    ["a type whose order is not known", Decimal128.fromString("1.5")],
    ["a document as _id that holds such a type", { a: Decimal128.fromString("1.5") }],
  ] as const)
    test(`is refused for ${what}, and the collection can be written whole then`, async () => {
      const repository = await memoryStore();
      const before = new Map([[nameOf(id), document(id, 100)]]);
      const after = new Map(before).set(nameOf(id), document(id, 101)).set(nameOf(1), document(1, 100));
      const { manifestKey } = await takeFull(repository, before);
      const writer = await repository.begin({
        lineageId: "l",
        snapshotId: nextSnapshotId(),
        parentManifestKey: manifestKey,
      });
      await assert.rejects(writer.writeIncrement(orders, changesOf(before, after)), IncrementRefused);
      const collection = await writer.beginCollection(orders);
      for (const bytes of after.values()) await collection.write(bytes);
      await collection.end();
      const { documentCount } = await writer.commit(facts);
      assert.equal(documentCount, 2);
    });

  test("is refused when the parent is not in _id order, and when a document does not begin with its _id", async () => {
    const odd = Buffer.from(serialize({ a: 1, _id: 1 }));
    for (const stored of [[document(2, 100), document(1, 100)], [odd]]) {
      const repository = await memoryStore();
      const first = await repository.begin({ lineageId: "l", snapshotId: nextSnapshotId() });
      const collection = await first.beginCollection(orders);
      await collection.write(Buffer.concat(stored));
      await collection.end();
      const { manifestKey } = await first.commit(facts);
      const writer = await repository.begin({
        lineageId: "l",
        snapshotId: nextSnapshotId(),
        parentManifestKey: manifestKey,
      });
      const changes = changesOf(new Map(), new Map([[nameOf(5), document(5, 100)]]));
      await assert.rejects(writer.writeIncrement(orders, changes), IncrementRefused);
    }
  });

  test("fails on documents that were not told of or come out of order, since the log and the source contradict each other then", async () => {
    const one = document(1, 100);
    const two = document(2, 100);
    for (const [names, documents] of [
      [[1], [one, two]],
      [[2], [one]],
      [
        [1, 2],
        [two, one],
      ],
      [
        [2, 1],
        [one, two],
      ],
      [[], [one]],
    ] as const) {
      const repository = await memoryStore();
      const { manifestKey } = await takeFull(repository, new Map([[nameOf(9), document(9, 100)]]));
      const writer = await repository.begin({
        lineageId: "l",
        snapshotId: nextSnapshotId(),
        parentManifestKey: manifestKey,
      });
      const changes = { ids: names.map((id) => idOf(nameOf(id))), documents: inPieces(documents) };
      await assert.rejects(writer.writeIncrement(orders, changes), /was not told of|not told in _id order/);
    }
  });
});

/** Of `_id`s that are equal in order one. */
function distinct({ ids: all, documents }: ChangedDocuments): ChangedDocuments {
  return {
    ids: all.filter((id, index) => index === 0 || compareIds(all[index - 1] as Uint8Array, id) !== 0),
    documents,
  };
}
