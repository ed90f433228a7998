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

/** Asks for a collection of garbage, unless one is asked for already. */
export async function requestGarbageCollection({ metadata, clock, ids }: GarbageCollectionRequest): Promise<void> {
  await metadata.transaction(async ({ jobs }) => {
    if (await jobs.unfinishedFor(garbageKey)) return;
    await jobs.insert({
      id: ids.objectId(),
      kind: "collectGarbage",
      subjectId: garbageKey,
      exclusiveKey: garbageKey,
      runAtMs: clock.nowMs(),
    });
  });
}
