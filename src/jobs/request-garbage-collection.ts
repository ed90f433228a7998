import type { Clock } from "../ports/clock.ts";
import type { Ids } from "../ports/ids.ts";
import type { Metadata } from "../ports/metadata/metadata.ts";

/** Garbage is one job for the whole store. */
const garbageKey = "store";

export interface GarbageCollectionRequest {
  readonly metadata: Metadata;
  readonly clock: Clock;
  readonly ids: Ids;
}

/** Asks for a collection of garbage at a time (now when left out), unless one is asked for by then already. */
export async function requestGarbageCollection(
  { metadata, clock, ids }: GarbageCollectionRequest,
  atMs: number = clock.nowMs(),
): Promise<void> {
  await metadata.transaction(async ({ jobs }) => {
    const dueMs = await jobs.nextDueMs(["collectGarbage"]);
    if (dueMs !== undefined && dueMs <= atMs) return;
    await jobs.insert({
      id: ids.objectId(),
      kind: "collectGarbage",
      subjectId: garbageKey,
      exclusiveKey: garbageKey,
      runAtMs: atMs,
    });
  });
}
