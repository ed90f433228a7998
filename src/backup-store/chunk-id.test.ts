import assert from "node:assert/strict";
import { createHmac, randomBytes } from "node:crypto";
import { describe, test } from "node:test";
import { chunkIdLength, createChunkId, createChunkIdInPlace, hashBlockLength } from "./chunk-id.ts";

describe("a chunk's id is HMAC-SHA-256 as everybody computes it, for any length", () => {
  const key = randomBytes(32);
  const lengths = [0, 1, 63, 64, 65, 16_384, 262_143, 262_144, 262_145, 1_000_000, 5];
  const expected = (bytes: Uint8Array): Buffer => createHmac("sha256", key).update(bytes).digest();

  test("of bytes that are copied", () => {
    const chunkId = createChunkId(key);
    for (const length of lengths) {
      const bytes = randomBytes(length);
      assert.deepEqual(chunkId(bytes), expected(bytes), `${length} bytes`);
    }
  });

  test("of bytes that stay where they are, which are not changed", () => {
    const chunkId = createChunkIdInPlace(key);
    for (const length of lengths) {
      const bytes = randomBytes(length);
      const room = Buffer.concat([Buffer.alloc(10 + hashBlockLength, 1), bytes, Buffer.alloc(10, 2)]);
      const start = 10 + hashBlockLength;
      const ids = Buffer.alloc(chunkIdLength + 2, 3);
      chunkId(room, start, start + length, ids, 1);
      assert.deepEqual(ids.subarray(1, -1), expected(bytes), `${length} bytes`);
      assert.deepEqual([ids[0], ids.at(-1)], [3, 3]);
      assert.ok(room.subarray(start, start + length).equals(bytes));
      assert.ok(room.subarray(0, 10).equals(Buffer.alloc(10, 1)));
      assert.ok(room.subarray(start + length).equals(Buffer.alloc(10, 2)));
    }
  });
});
