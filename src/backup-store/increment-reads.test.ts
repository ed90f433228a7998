import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, test } from "node:test";
import { serialize } from "bson";
import { createMemoryBlobStore } from "../adapters/blob-memory/memory-blob-store.ts";
import {
  type Documents,
  changesOf,
  document,
  facts,
  nameOf,
  nextSnapshotId,
  orders,
  requireEqual,
  takeFull,
} from "../../test/support/increment-world.ts";
import type { BlobStore } from "../ports/blob-store.ts";
import { openBackupStore } from "./index.ts";

describe("an increment", () => {
  test("reads only what is around the changes, and adds only that", async () => {
    const objects = new Map<string, Buffer>();
    const repository = await openBackupStore({
      blobs: createMemoryBlobStore(objects),
      secret: Buffer.alloc(32, 5),
      randomBytes,
    });
    const before = new Map(Array.from({ length: 30_000 }, (_, number) => [nameOf(number), document(number, 300)]));
    const { manifestKey } = await takeFull(repository, before);
    const after = new Map(before).set(nameOf(15_000), document(15_000, 310));
    const writer = await repository.begin({
      lineageId: "l",
      snapshotId: nextSnapshotId(),
      parentManifestKey: manifestKey,
    });
    await writer.writeIncrement(orders, changesOf(before, after));
    const committed = await writer.commit(facts);
    const full = await takeFull(repository, after, manifestKey);
    assert.ok(committed.addedSizeBytes < 64 * 1024, `${committed.addedSizeBytes} bytes added`);
    assert.ok(Math.abs(committed.storageSizeBytes - full.storageSizeBytes) < 100, "needs what the whole one needs");
  });

  test("reads as much after twenty others as after one, though each has moved chunks away, and is what writing everything makes", async () => {
    const blobs = createMemoryBlobStore();
    const read = { requests: 0, bytes: 0 };
    const counting: BlobStore = {
      ...blobs,
      getRange(key, offset, lengthBytes) {
        read.requests += 1;
        read.bytes += lengthBytes;
        return blobs.getRange(key, offset, lengthBytes);
      },
    };
    const repository = await openBackupStore({ blobs: counting, secret: Buffer.alloc(32, 5), randomBytes });
    const count = 40_000;
    // Not compressed away: what is read is to be told by its size.
    const noise = randomBytes(64 * 1024).toString("latin1");
    const text = (number: number, round: number): string =>
      noise.slice((number * 13 + round * 7) % 60_000).slice(0, 200);
    const one = (number: number, round: number): Buffer =>
      Buffer.from(serialize({ _id: number, text: text(number, round) }));
    let state: Documents = new Map(Array.from({ length: count }, (_, number) => [nameOf(number), one(number, 0)]));
    let { manifestKey } = await takeFull(repository, state);
    const costs: (typeof read)[] = [];
    for (let round = 1; round <= 21; round += 1) {
      const after = new Map(state);
      for (let number = (round * 397) % 1000; number < count; number += 1000)
        after.set(nameOf(number), one(number, round));
      const writer = await repository.begin({
        lineageId: "l",
        snapshotId: nextSnapshotId(),
        parentManifestKey: manifestKey,
      });
      Object.assign(read, { requests: 0, bytes: 0 });
      await writer.writeIncrement(orders, changesOf(state, after));
      costs.push({ ...read });
      if (round === 21) await requireEqual(repository, manifestKey, () => changesOf(state, after), after);
      ({ manifestKey } = await writer.commit(facts));
      state = after;
    }
    const [first, last] = [costs[0] ?? read, costs[20] ?? read];
    assert.ok(last.bytes < first.bytes * 1.5, `${last.bytes} bytes after ${first.bytes}`);
    // At most once for each pack, of which each snapshot made one, and not for each of the chunks.
    assert.ok(last.requests < first.requests + 21, `${last.requests} requests after ${first.requests}`);
  });

  test("does not read documents that fill a chunk and changed or were deleted", async () => {
    const blobs = createMemoryBlobStore();
    let bytes = 0;
    const getRange: BlobStore["getRange"] = (key, offset, lengthBytes) => {
      bytes += lengthBytes;
      return blobs.getRange(key, offset, lengthBytes);
    };
    const repository = await openBackupStore({
      blobs: { ...blobs, getRange },
      secret: Buffer.alloc(32, 5),
      randomBytes,
    });
    const noisy = (id: unknown, length: number): Buffer =>
      Buffer.from(serialize({ _id: id, text: randomBytes(length) }));
    const long = `${"long ".repeat(13)}`;
    const before = new Map(
      [...Array.from({ length: 20 }, (_, number) => number * 10), `${long}1`, `${long}2`].map((id) => [
        nameOf(id),
        noisy(id, 300_000),
      ]),
    );
    const { manifestKey } = await takeFull(repository, before);
    const after = new Map(before);
    for (const id of [0, 50, 60, 190]) after.set(nameOf(id), noisy(id, 200_000));
    after.set(nameOf(55), noisy(55, 100)).set(nameOf(109), noisy(109, 100)).set(nameOf(111), noisy(111, 70_000));
    after.set(nameOf(110), noisy(110, 10)).set(nameOf(191), noisy(191, 10)).delete(nameOf(120));
    const writer = await repository.begin({
      lineageId: "l",
      snapshotId: nextSnapshotId(),
      parentManifestKey: manifestKey,
    });
    bytes = 0;
    await writer.writeIncrement(orders, changesOf(before, after));
    await writer.abort();
    // Two that did not change and have small ones put behind or before them.
    assert.ok(bytes < 700_000, `${bytes} bytes were read`);
    // Of a first id that was cut it is not known whether it is that one.
    for (const id of [`${long}1`, `${long}2`]) after.set(nameOf(id), noisy(id, 10));
    await requireEqual(repository, manifestKey, () => changesOf(before, after), after);
  });
});
