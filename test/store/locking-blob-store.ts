import { createMemoryBlobStore } from "../../src/adapters/blob-memory/memory-blob-store.ts";
import { BlobError, type BlobStore } from "../../src/ports/blob-store.ts";
import type { Clock } from "../../src/ports/clock.ts";

export const lockMs = 86_400_000;

export interface LockingBlobStore {
  readonly blobs: BlobStore;
  readonly objects: Map<string, Buffer>;
  /** Until when each object is locked. */
  readonly locks: Map<string, number>;
  /** Questions about locks and renewals so far. */
  readonly asked: () => { readonly questions: number; readonly renewals: number };
}

/** Objects in memory that a store keeps from being deleted for a day, as S3 does with object lock; marks are there to be deleted. */
export function createLockingBlobStore(clock: Pick<Clock, "nowMs">): LockingBlobStore {
  const objects = new Map<string, Buffer>();
  const locks = new Map<string, number>();
  const memory = createMemoryBlobStore(objects);
  let [questions, renewals] = [0, 0];
  const requireObject = (key: string): void => {
    if (!objects.has(key)) throw new BlobError("blob_not_found", `there is no object ${key}`);
  };
  const blobs: BlobStore = {
    ...memory,
    async put(key, parts) {
      const isNew = !objects.has(key);
      await memory.put(key, parts);
      if (isNew && !key.startsWith("marks/")) locks.set(key, clock.nowMs() + lockMs);
    },
    async delete(key) {
      if ((locks.get(key) ?? 0) > clock.nowMs()) throw new BlobError("blob_locked", `${key} is locked`);
      locks.delete(key);
      await memory.delete(key);
    },
    lock: {
      durationMs: lockMs,
      async lockedUntilMs(key) {
        questions += 1;
        requireObject(key);
        return locks.get(key);
      },
      async extend(key, untilMs) {
        renewals += 1;
        requireObject(key);
        locks.set(key, Math.max(untilMs, locks.get(key) ?? 0));
      },
    },
  };
  return { blobs, objects, locks, asked: () => ({ questions, renewals }) };
}
