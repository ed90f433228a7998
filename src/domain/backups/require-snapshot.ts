import type { DeploymentRecord } from "../../ports/metadata/deployment-records.ts";
import type { MetadataRecords } from "../../ports/metadata/metadata.ts";
import type { SnapshotRecord } from "../../ports/metadata/snapshot-records.ts";
import { isObjectId } from "../attributes/object-id.ts";
import { invalidSnapshotId, snapshotNotFound } from "./errors.ts";

/** Throws `INVALID_SNAPSHOT_ID` or `SNAPSHOT_NOT_FOUND`. */
export async function requireSnapshot(
  records: Pick<MetadataRecords, "snapshots">,
  instance: DeploymentRecord,
  snapshotId: string,
): Promise<SnapshotRecord> {
  if (!isObjectId(snapshotId)) throw invalidSnapshotId(snapshotId);
  const snapshot = await records.snapshots.find(instance.id, snapshotId);
  if (snapshot === undefined) throw snapshotNotFound(snapshotId, instance.name);
  return snapshot;
}
