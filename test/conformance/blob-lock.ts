import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import type { BlobLock, BlobStore } from "../../src/ports/blob-store.ts";

export interface OpenedLockingStore {
  readonly blobs: BlobStore;
  readonly nowMs: () => number;
  /** Removes its traces, as far as the locks let it. */
  close(): Promise<void>;
}

const minuteMs = 60_000;

/** Everything that the lock of a blob store promises; `open` answers a new, empty one each time, which locks what is put for a day. */
export function describeBlobLock(name: string, open: () => Promise<OpenedLockingStore>): void {
  describe(`locks of a blob store: ${name}`, () => {
    let opened: OpenedLockingStore;
    let lock: BlobLock;
    beforeEach(async () => {
      opened = await open();
      assert.ok(opened.blobs.lock !== undefined);
      ({ lock } = opened.blobs);
    });
    afterEach(() => opened.close());
    const leftMs = async (key: string): Promise<number> => ((await lock.lockedUntilMs(key)) ?? 0) - opened.nowMs();

    test("what was put is locked for as long as is said, and cannot be deleted", async () => {
      await opened.blobs.put("packs/1", [Uint8Array.of(1)]);
      const left = await leftMs("packs/1");
      assert.ok(Math.abs(left - lock.durationMs) < minuteMs, `${left} ms`);
      await assert.rejects(opened.blobs.delete("packs/1"), { code: "blob_locked" });
    });

    test("a lock is made longer, never shorter, and what is stored stays the same", async () => {
      await opened.blobs.put("packs/1", [Uint8Array.of(1)]);
      const untilMs = opened.nowMs() + 2 * lock.durationMs;
      for (const wantedMs of [untilMs, untilMs - lock.durationMs, opened.nowMs() - minuteMs]) {
        await lock.extend("packs/1", wantedMs);
        const lockedMs = (await lock.lockedUntilMs("packs/1")) ?? 0;
        assert.ok(lockedMs >= untilMs && lockedMs < untilMs + 1000, `${lockedMs - untilMs} ms after what was wanted`);
      }
      await assert.rejects(opened.blobs.delete("packs/1"), { code: "blob_locked" });
      assert.deepEqual([...(await opened.blobs.get("packs/1"))], [1]);
    });

    test("an object that was not locked when it was put can be locked", async () => {
      await opened.blobs.put("marks/1", [Uint8Array.of(1)]);
      assert.equal(await lock.lockedUntilMs("marks/1"), undefined);
      await lock.extend("marks/1", opened.nowMs() + minuteMs);
      assert.ok((await leftMs("marks/1")) > 0);
      await assert.rejects(opened.blobs.delete("marks/1"), { code: "blob_locked" });
    });

    test("what is not there has no lock and cannot get one", async () => {
      await assert.rejects(lock.lockedUntilMs("packs/2"), { code: "blob_not_found" });
      await assert.rejects(lock.extend("packs/2", opened.nowMs() + minuteMs), { code: "blob_not_found" });
      assert.equal(await opened.blobs.stat("packs/2"), undefined);
    });
  });
}
