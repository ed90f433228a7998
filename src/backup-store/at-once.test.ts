import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { serialize } from "bson";
import { createMemoryBlobStore } from "../adapters/blob-memory/memory-blob-store.ts";
import type { BlobStore } from "../ports/blob-store.ts";
import {
  type CollectionWriter,
  collectionsAtOnceMax,
  type SnapshotFacts,
  type SnapshotWriter,
} from "../ports/snapshot-repository.ts";
import { type BackupStore, openBackupStore } from "./index.ts";

const facts: SnapshotFacts = { consistency: "exact", serverVersion: "7.0.0", capturedAtMs: 1000 };
const open = (blobs: BlobStore): Promise<BackupStore> =>
  openBackupStore({ blobs, secret: Buffer.alloc(32, 5), randomBytes });
const mebibyte = 1_048_576;

function begin(writer: SnapshotWriter, name: string): Promise<CollectionWriter> {
  const emptyDocument = Uint8Array.of(5, 0, 0, 0, 0);
  return writer.beginCollection({
    database: "shop",
    name,
    type: "collection",
    options: emptyDocument,
    indexes: [emptyDocument],
  });
}

function piece(collection: number, number: number): Buffer {
  return Buffer.concat(
    Array.from({ length: 500 }, (_, position) =>
      serialize({ _id: number * 500 + position, collection, text: `${collection}/${number} `.repeat(60) }),
    ),
  );
}

/** Documents that do not compress, about a mebibyte of them. */
function noise(number: number): Buffer {
  return Buffer.concat(
    Array.from({ length: 64 }, (_, position) =>
      serialize({ _id: number * 64 + position, noise: randomBytes(16 * 1024) }),
    ),
  );
}

describe("several collections of one snapshot at once", () => {
  const names = Array.from({ length: collectionsAtOnceMax }, (_, number) => `c${number}`);

  test("are restored each as it was written, and listed by their names whatever order they were begun in", async () => {
    const store = await open(createMemoryBlobStore());
    const writer = await store.begin({ lineageId: "l", snapshotId: "a".repeat(24) });
    const inReverse = await Promise.all(names.toReversed().map((name) => begin(writer, name)));
    const collections = inReverse.toReversed();
    await Promise.all(
      collections.map(async (collection, number) => {
        // The later ones end first.
        for (let count = 0; count < 3 * (names.length - number); count += 1)
          await collection.write(piece(number, count));
        await collection.end();
      }),
    );
    const { manifestKey, documentCount } = await writer.commit(facts);
    assert.equal(documentCount, 500 * 3 * ((names.length * (names.length + 1)) / 2));
    const reader = await store.open(manifestKey);
    assert.deepEqual(
      reader.collections.map(({ name }) => name),
      names,
    );
    for (const [number, name] of names.entries()) {
      const expected = Array.from({ length: 3 * (names.length - number) }, (_, count) => piece(number, count));
      const found = await Array.fromAsync(reader.documents("shop", name));
      assert.ok(Buffer.concat(found).equals(Buffer.concat(expected)), name);
    }
    assert.deepEqual((await store.verify()).damages, []);
  });

  test("are as many as the limit says, and one more when one has ended", async () => {
    const writer = await (await open(createMemoryBlobStore())).begin({ lineageId: "l", snapshotId: "a".repeat(24) });
    const [first] = await Promise.all(names.map((name) => begin(writer, name)));
    await assert.rejects(begin(writer, "more"), /no more than 8 collections/);
    await first?.end();
    await begin(writer, "more");
    await assert.rejects(writer.commit(facts), /has not ended/);
  });
});

describe("a store that does not take what it is given", () => {
  /** A store whose puts of packs wait until `release`, and how many waited at once. */
  function stalling(): { blobs: BlobStore; release: () => void; waiting: () => number } {
    const good = createMemoryBlobStore();
    const gate = Promise.withResolvers<void>();
    let waiting = 0;
    return {
      blobs: {
        ...good,
        async put(key, parts) {
          if (key.startsWith("packs/")) {
            waiting += 1;
            await gate.promise;
          }
          return good.put(key, parts);
        },
      },
      release: () => gate.resolve(),
      waiting: () => waiting,
    };
  }

  test("holds up whoever writes before 100 MiB were taken, and takes the rest when it goes on", async () => {
    const { blobs, release, waiting } = stalling();
    const store = await open(blobs);
    const writer = await store.begin({ lineageId: "l", snapshotId: "a".repeat(24) });
    const collection = await begin(writer, "noise");
    const pieces = Array.from({ length: 120 }, (_, number) => noise(number));
    let taken = 0;
    const writing = (async () => {
      for (const documents of pieces) {
        await collection.write(documents);
        taken += documents.length;
      }
      await collection.end();
    })();
    let before = -1;
    // Held up when nothing moves for many turns while the first packs wait.
    for (let still = 0; still < 2000 || waiting() < 2; still += 1) {
      if (taken !== before) still = 0;
      before = taken;
      await nextTurn();
    }
    assert.ok(taken > 60 * mebibyte && taken < 100 * mebibyte, `${taken / mebibyte} MiB were taken`);
    assert.equal(waiting(), 2);
    release();
    await writing;
    const { manifestKey } = await writer.commit(facts);
    const restored = await Array.fromAsync((await store.open(manifestKey)).documents("shop", "noise"));
    assert.ok(Buffer.concat(restored).equals(Buffer.concat(pieces)));
  });

  test("is told of when it fails, at the latest when the snapshot is to be committed, and nothing more is put", async () => {
    const good = createMemoryBlobStore();
    let puts = 0;
    const store = await open({
      ...good,
      put(key, parts) {
        if (!key.startsWith("packs/")) return good.put(key, parts);
        puts += 1;
        return Promise.reject(new Error("the disk is gone"));
      },
    });
    const writer = await store.begin({ lineageId: "l", snapshotId: "a".repeat(24) });
    const collection = await begin(writer, "noise");
    await assert.rejects(async () => {
      for (let number = 0; number < 120; number += 1) await collection.write(noise(number));
      await collection.end();
      await writer.commit(facts);
    }, /the disk is gone/);
    assert.ok(puts <= 2, `${puts} packs were put`);
    await writer.abort();
  });
});
