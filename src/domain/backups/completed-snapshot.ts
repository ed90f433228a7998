import type { SnapshotRecord } from "../../ports/metadata/snapshot-records.ts";
import type { CommittedSnapshot, SnapshotFacts } from "../../ports/snapshot-repository.ts";
import { expiresAtMs } from "./retention.ts";

/** What changes in a snapshot's record when it is completed; the same in the metadata database and in the copy that the store keeps. */
export function completion(
  { retentionMs }: Pick<SnapshotRecord, "retentionMs">,
  committed: CommittedSnapshot,
  facts: SnapshotFacts,
  completedAtMs: number,
) {
  return {
    status: "completed",
    createdAtMs: facts.capturedAtMs,
    completedAtMs,
    expiresAtMs: expiresAtMs(completedAtMs, retentionMs),
    storageSizeBytes: committed.storageSizeBytes,
    addedSizeBytes: committed.addedSizeBytes,
    manifestKey: committed.manifestKey,
    serverVersion: facts.serverVersion,
    consistency: facts.consistency,
    clusterTime: facts.clusterTime,
    failureReason: undefined,
    parentManifestKey: undefined,
  } as const satisfies Partial<SnapshotRecord>;
}
