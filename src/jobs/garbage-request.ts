import { garbageGraceMs, repacksDefault } from "../domain/backups/garbage-collection-service.ts";
import type { Clock } from "../ports/clock.ts";
import type { Metadata } from "../ports/metadata/metadata.ts";
import type { GarbageRequest } from "../ports/snapshot-repository.ts";

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
    repacksMax: repacksDefault,
  };
}
