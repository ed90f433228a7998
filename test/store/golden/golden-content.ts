import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { Binary, Decimal128, Double, Int32, Long, ObjectId, serialize, Timestamp } from "bson";
import type { CollectionDescription } from "../../../src/ports/snapshot-repository.ts";

// What golden repositories hold. It never changes: repositories of releases that are out are compared with it.

export const goldenKey = createHash("sha256").update("the key of golden repositories").digest();
export const goldenPassphrase = "the passphrase of golden repositories";
export const goldenSnapshots = ["a".repeat(24), "b".repeat(24)] as const;

/** Bytes that look random and are the same for ever. */
export function goldenBytes(name: string, length: number): Buffer {
  return createHash("shake256", { outputLength: length }).update(name).digest();
}

export interface GoldenCollection {
  readonly description: CollectionDescription;
  readonly documents: Buffer;
}

/** The collections of the first or second snapshot, which shares most of the first. */
export function goldenCollections(which: 0 | 1): readonly GoldenCollection[] {
  const description = (name: string, changes: Partial<CollectionDescription> = {}): CollectionDescription => ({
    database: "golden",
    name,
    type: "collection",
    uuid: goldenBytes(`uuid of ${name}`, 16),
    options: serialize({}),
    indexes: [serialize({ v: new Int32(2), key: { _id: new Int32(1) }, name: "_id_" })],
    ...changes,
  });
  const orders = Array.from({ length: 700 }, (_, number) =>
    serialize({
      _id: new Int32(number),
      state: which === 1 && number % 300 === 7 ? "changed" : "new",
      noise: new Binary(goldenBytes(`order ${number}`, 100)),
    }),
  );
  const kinds = [
    new Double(-0),
    new Double(Number.NaN),
    "text",
    new Binary(goldenBytes("binary", 9), 4),
    new ObjectId("0123456789abcdef01234567"),
    true,
    new Date(1_767_225_600_000),
    new Int32(-1),
    new Timestamp({ t: 7, i: 9 }),
    Long.MAX_VALUE,
    Decimal128.fromString("1E-6176"),
    { of: new Int32(1), order: [new Int32(1)] },
  ].map((_id) => serialize({ _id, value: _id }));
  const { uuid: unused, ...view } = description("view", { type: "view", indexes: [] });
  assert.ok(unused);
  return [
    { description: description("orders"), documents: Buffer.concat(orders) },
    {
      description: description("kinds", {
        options: serialize({ comment: "options stay bytes", zero: new Double(-0) }),
      }),
      documents: Buffer.concat(kinds),
    },
    { description: description("empty"), documents: Buffer.alloc(0) },
    {
      description: { ...view, options: serialize({ viewOn: "orders", pipeline: [{ $match: { state: "new" } }] }) },
      documents: Buffer.alloc(0),
    },
  ];
}
