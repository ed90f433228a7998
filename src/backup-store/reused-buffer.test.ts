import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, test } from "node:test";
import { serialize } from "bson";
import { createMemoryBlobStore } from "../adapters/blob-memory/memory-blob-store.ts";
import { openBackupStore } from "./index.ts";

const emptyDocument = Uint8Array.of(5, 0, 0, 0, 0);
const pieceCount = 12;

function piece(number: number): Buffer {
  return Buffer.concat(
    Array.from({ length: 100 }, (_, position) => serialize({ _id: number * 100 + position, text: "x".repeat(1000) })),
  );
}

describe("a buffer that the source uses again for what it reads next", () => {
  // A Buffer's own slice is a view where a Uint8Array's is a copy, so both are tried.
  for (const [kind, view] of [
    ["a Buffer", (bytes: Buffer) => bytes],
    ["a Uint8Array", (bytes: Buffer) => new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)],
  ] as const)
    test(`does not change what was stored from it: ${kind}`, async () => {
      const store = await openBackupStore({
        blobs: createMemoryBlobStore(),
        secret: Buffer.alloc(32, 5),
        randomBytes,
      });
      const writer = await store.begin({ lineageId: "l", snapshotId: "a".repeat(24) });
      const collection = await writer.beginCollection({
        database: "shop",
        name: "orders",
        type: "collection",
        options: emptyDocument,
        indexes: [],
      });
      const reused = Buffer.alloc(200_000);
      for (let number = 0; number < pieceCount; number += 1) {
        const next = piece(number);
        next.copy(reused);
        await collection.write(view(reused.subarray(0, next.length)));
        reused.fill(0xff);
      }
      await collection.end();
      const { manifestKey } = await writer.commit({
        consistency: "exact",
        serverVersion: "7.0.0",
        capturedAtMs: 1000,
      });
      const reader = await store.open(manifestKey);
      await reader.verify();
      const parts: Uint8Array[] = [];
      for await (const part of reader.documents("shop", "orders")) parts.push(part);
      const expected = Buffer.concat(Array.from({ length: pieceCount }, (_, number) => piece(number)));
      assert.ok(Buffer.concat(parts).equals(expected));
    });
});
