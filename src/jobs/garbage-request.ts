import type { Clock } from "../ports/clock.ts";
import type { Metadata } from "../ports/metadata/metadata.ts";
import type { GarbageRequest } from "../ports/snapshot-repository.ts";

/** How long an object waits between being found unneeded and being deleted. */
export const garbageGraceMs = 86_400_000;
/** Packs written anew in one collection, so that it ends. */
const repacksMax = 4;

/** What the metadata says is needed. */
export function garbageRequest({
  metadata,
  clock,
}: {
  readonly metadata: Metadata;
  readonly clock: Clock;
}): GarbageRequest {
  return {
    liveManifestKeys: () => metadata.snapshots.liveManifestKeys(),
    snapshotIdsInProgress: () => metadata.snapshots.idsInProgress(),
    neverKnown: (ids) => metadata.snapshots.neverKnown(ids),
    nowMs: clock.nowMs(),
    graceMs: garbageGraceMs,
    repacksMax,
  };
}
