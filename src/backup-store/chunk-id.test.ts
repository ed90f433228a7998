import assert from "node:assert/strict";
import { createHmac, randomBytes } from "node:crypto";
import { test } from "node:test";
import { createChunkId } from "./chunk-id.ts";

test("a chunk's id is HMAC-SHA-256 as everybody computes it, for any length", () => {
  const key = randomBytes(32);
  const chunkId = createChunkId(key);
  for (const length of [0, 1, 63, 64, 65, 16_384, 262_143, 262_144, 262_145, 1_000_000, 5]) {
    const bytes = randomBytes(length);
    assert.deepEqual(chunkId(bytes), createHmac("sha256", key).update(bytes).digest(), `${length} bytes`);
  }
});
