import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, test } from "node:test";
import { serialize } from "bson";
import { createMemoryBlobStore } from "../adapters/blob-memory/memory-blob-store.ts";
import type { CommittedSnapshot, SnapshotRepository } from "../ports/snapshot-repository.ts";
import { openBackupStore } from "./index.ts";

const emptyDocument = Uint8Array.of(5, 0, 0, 0, 0);

/** Each document is about as large as a chunk, so that their number is about that of the entries. */
function documents(count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, position) =>
    serialize({ _id: position, text: String(position).padEnd(16_000, "telamon ") }),
  );
}

async function take(
  store: SnapshotRepository,
  snapshotId: number,
  collectionCount: number,
  pieces: readonly Uint8Array[],
  parentManifestKey?: string,
): Promise<CommittedSnapshot> {
  const writer = await store.begin({
    lineageId: "l",
    snapshotId: snapshotId.toString(16).padStart(24, "0"),
    ...(parentManifestKey === undefined ? {} : { parentManifestKey }),
  });
  for (let number = 0; number < collectionCount; number += 1) {
    const collection = await writer.beginCollection({
      database: "shop",
      name: `c${number}`,
      type: "collection",
      options: emptyDocument,
      indexes: [emptyDocument],
    });
    for (const piece of pieces) await collection.write(piece);
    await collection.end();
  }
  return writer.commit({ consistency: "exact", serverVersion: "7.0.0", capturedAtMs: 1000 });
}

describe("a collection that did not change", () => {
  // Around the entries a manifest holds itself (4), the least page (64), and beyond a page.
  for (const count of [1, 4, 5, 63, 64, 65, 1000, 3000])
    test(`of about ${count} chunks adds hundreds of bytes`, async () => {
      const store = await openBackupStore({
        blobs: createMemoryBlobStore(),
        secret: Buffer.alloc(32, 5),
        randomBytes,
      });
      const pieces = documents(count);
      const first = await take(store, 1, 1, pieces);
      const second = await take(store, 2, 1, pieces, first.manifestKey);
      assert.ok(second.addedSizeBytes < 1000, `${second.addedSizeBytes} bytes`);
      const parts: Uint8Array[] = [];
      for await (const part of (await store.open(second.manifestKey)).documents("shop", "c0")) parts.push(part);
      assert.ok(Buffer.concat(parts).equals(Buffer.concat(pieces)));
    });

  test("costs as little beside many others", async () => {
    const store = await openBackupStore({
      blobs: createMemoryBlobStore(),
      secret: Buffer.alloc(32, 5),
      randomBytes,
    });
    const first = await take(store, 1, 300, documents(20));
    const second = await take(store, 2, 300, documents(20), first.manifestKey);
    assert.equal((await store.open(second.manifestKey)).collections.length, 300);
    assert.ok(second.addedSizeBytes < 300 * 300, `${second.addedSizeBytes} bytes`);
  });
});
