import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Binary, BSON, Double, MinKey } from "mongodb";
import fc from "fast-check";
import { describeCollection } from "./raw-description.ts";

const uuid = Uint8Array.from({ length: 16 }, (_, index) => index);
const noIndexes = async (): Promise<Uint8Array[]> => [];

describe("a collection's description", () => {
  test("takes name, type, uuid and the very bytes of the options", async () => {
    const options = { validator: { z: new Double(1), a: { $gt: new MinKey() } }, capped: false };
    const answer = BSON.serialize({
      name: "orders",
      type: "collection",
      options,
      info: { readOnly: false, uuid: new Binary(uuid, 4) },
      idIndex: { v: 2 },
    });
    const index = Buffer.from(BSON.serialize({ v: 2, key: { _id: 1 }, name: "_id_" }));
    const description = await describeCollection("shop", answer, async () => [index]);
    assert.deepEqual(
      {
        ...description,
        options: Buffer.from(description.options),
        indexes: description.indexes.map((bytes) => Buffer.from(bytes)),
      },
      {
        database: "shop",
        name: "orders",
        type: "collection",
        uuid,
        options: Buffer.from(BSON.serialize(options)),
        indexes: [index],
      },
    );
    index.fill(0);
    assert.notEqual(description.indexes[0]?.[0], 0, "it keeps copies: the driver's bytes are slices of a reply");
  });

  test("a view has no indexes and is not asked for any; no options are an empty document", async () => {
    const answer = BSON.serialize({ name: "seen", type: "view", info: { readOnly: true } });
    const description = await describeCollection("shop", answer, () => assert.fail("asked for indexes of a view"));
    assert.deepEqual(
      [description.type, description.indexes, description.uuid, [...description.options]],
      ["view", [], undefined, [5, 0, 0, 0, 0]],
    );
  });

  test("a type nobody knows is refused, not stored as something else", async () => {
    await assert.rejects(
      describeCollection("shop", BSON.serialize({ name: "x", type: "graph" }), noIndexes),
      /shop\.x is of the unknown type graph/,
    );
  });

  test("bytes that are no whole document are refused, and never read without end", async () => {
    const good = BSON.serialize({
      name: "orders",
      type: "collection",
      options: { a: 1 },
      info: { uuid: new Binary(uuid, 4) },
    });
    for (let length = 0; length < good.length; length += 1)
      await assert.rejects(describeCollection("shop", good.subarray(0, length), noIndexes));
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: good.length - 1 }), fc.nat({ max: 255 }), async (position, value) => {
        const bytes = Uint8Array.from(good);
        bytes[position] = value;
        await describeCollection("shop", bytes, noIndexes).catch((error: unknown) => assert.ok(error instanceof Error));
      }),
      { numRuns: 500 },
    );
  });
});
