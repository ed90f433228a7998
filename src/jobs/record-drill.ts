import { changeCompletedSnapshot } from "../domain/backups/change-completed-snapshot.ts";
import type { Ids } from "../ports/ids.ts";
import type { MetadataRecords } from "../ports/metadata/metadata.ts";

/** What a restore on trial has shown. */
export interface DrillResult {
  readonly deploymentId: string;
  readonly snapshotId: string;
  readonly atMs: number;
  /** Undefined: the snapshot is proven restorable. */
  readonly failureReason: string | undefined;
}

/** Keeps the result with the snapshot, and has the store told. False when the snapshot is gone. To be called in a transaction. */
export async function recordDrill(
  records: MetadataRecords,
  ids: Ids,
  { deploymentId, snapshotId, atMs, failureReason }: DrillResult,
): Promise<boolean> {
  const snapshot = await records.snapshots.find(deploymentId, snapshotId);
  if (snapshot === undefined) return false;
  const changes = {
    drilledAtMs: atMs,
    drillFailureReason: failureReason,
    ...(failureReason === undefined && { provenAtMs: atMs }),
  };
  await changeCompletedSnapshot(records, ids, snapshot, changes, atMs);
  return true;
}
