import type { Ids } from "../../ports/ids.ts";
import type { MetadataRecords } from "../../ports/metadata/metadata.ts";
import type { SnapshotRecord } from "../../ports/metadata/snapshot-records.ts";
import { expiresAtMs } from "./retention.ts";

export type SnapshotRequest = Pick<
  SnapshotRecord,
  | "deploymentId"
  | "snapshotType"
  | "frequencyType"
  | "policyItemIds"
  | "description"
  | "requestedAtMs"
  | "retentionMs"
  | "newestKept"
>;

/** Puts a `queued` snapshot and the job that takes it; to be called in a transaction, so that neither is there without the other. */
export async function queueSnapshot(
  records: MetadataRecords,
  ids: Ids,
  request: SnapshotRequest,
): Promise<SnapshotRecord> {
  const snapshot = await records.snapshots.insert({
    ...request,
    id: ids.objectId(),
    status: "queued",
    createdAtMs: undefined,
    completedAtMs: undefined,
    expiresAtMs: expiresAtMs(request.requestedAtMs, request.retentionMs),
    storageSizeBytes: 0,
    addedSizeBytes: 0,
    manifestKey: undefined,
    serverVersion: undefined,
    consistency: undefined,
    clusterTime: undefined,
    failureReason: undefined,
    parentManifestKey: undefined,
    hold: undefined,
    provenAtMs: undefined,
    drilledAtMs: undefined,
    drillFailureReason: undefined,
    catalogueRevision: 0,
    catalogueDue: false,
  });
  await records.jobs.insert({
    id: ids.objectId(),
    kind: "takeSnapshot",
    subjectId: snapshot.id,
    exclusiveKey: snapshot.deploymentId,
    runAtMs: request.requestedAtMs,
  });
  return snapshot;
}
