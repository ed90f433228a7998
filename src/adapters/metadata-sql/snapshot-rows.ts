import type { Updateable } from "kysely";
import type { SnapshotChanges, SnapshotHold, SnapshotRecord } from "../../ports/metadata/snapshot-records.ts";
import { flag, listFrom, optional } from "./row-values.ts";
import type { SnapshotRow } from "./schema.ts";

/** Every column, in the order of the table. */
export const columns: readonly (keyof SnapshotRow)[] = [
  "deployment_id",
  "sequence",
  "id",
  "status",
  "snapshot_type",
  "frequency_type",
  "description",
  "requested_at_ms",
  "captured_at_ms",
  "completed_at_ms",
  "expires_at_ms",
  "retention_ms",
  "storage_size_bytes",
  "added_size_bytes",
  "manifest_key",
  "server_version",
  "consistency",
  "cluster_time_seconds",
  "cluster_time_increment",
  "failure_reason",
  "parent_manifest_key",
  "proven_at_ms",
  "policy_item_ids",
  "newest_kept",
  "held_at_ms",
  "held_by",
  "hold_reason",
  "drilled_at_ms",
  "drill_failure_reason",
  "catalogue_revision",
  "catalogue_due",
];

export function fromSnapshot(snapshot: SnapshotRecord): SnapshotRow {
  return {
    deployment_id: snapshot.deploymentId,
    sequence: snapshot.sequence,
    id: snapshot.id,
    status: snapshot.status,
    snapshot_type: snapshot.snapshotType,
    frequency_type: snapshot.frequencyType,
    description: snapshot.description ?? null,
    requested_at_ms: snapshot.requestedAtMs,
    captured_at_ms: snapshot.createdAtMs ?? null,
    completed_at_ms: snapshot.completedAtMs ?? null,
    expires_at_ms: snapshot.expiresAtMs,
    retention_ms: snapshot.retentionMs,
    storage_size_bytes: snapshot.storageSizeBytes,
    added_size_bytes: snapshot.addedSizeBytes,
    manifest_key: snapshot.manifestKey ?? null,
    server_version: snapshot.serverVersion ?? null,
    consistency: snapshot.consistency ?? null,
    cluster_time_seconds: snapshot.clusterTime?.seconds ?? null,
    cluster_time_increment: snapshot.clusterTime?.increment ?? null,
    failure_reason: snapshot.failureReason ?? null,
    parent_manifest_key: snapshot.parentManifestKey ?? null,
    proven_at_ms: snapshot.provenAtMs ?? null,
    policy_item_ids: snapshot.policyItemIds.length === 0 ? null : JSON.stringify(snapshot.policyItemIds),
    newest_kept: snapshot.newestKept,
    ...holdColumns(snapshot.hold),
    drilled_at_ms: snapshot.drilledAtMs ?? null,
    drill_failure_reason: snapshot.drillFailureReason ?? null,
    catalogue_revision: snapshot.catalogueRevision,
    catalogue_due: flag(snapshot.catalogueDue),
  };
}

/** Columns of the changes given; a field given as undefined empties its column. */
export function changedColumns(changes: SnapshotChanges): Updateable<SnapshotRow> {
  return {
    ...(changes.status !== undefined && { status: changes.status }),
    ...("description" in changes && { description: changes.description ?? null }),
    ...("createdAtMs" in changes && { captured_at_ms: changes.createdAtMs ?? null }),
    ...("completedAtMs" in changes && { completed_at_ms: changes.completedAtMs ?? null }),
    ...(changes.expiresAtMs !== undefined && { expires_at_ms: changes.expiresAtMs }),
    ...(changes.retentionMs !== undefined && { retention_ms: changes.retentionMs }),
    ...(changes.storageSizeBytes !== undefined && { storage_size_bytes: changes.storageSizeBytes }),
    ...(changes.addedSizeBytes !== undefined && { added_size_bytes: changes.addedSizeBytes }),
    ...("manifestKey" in changes && { manifest_key: changes.manifestKey ?? null }),
    ...("serverVersion" in changes && { server_version: changes.serverVersion ?? null }),
    ...("consistency" in changes && { consistency: changes.consistency ?? null }),
    ...("clusterTime" in changes && {
      cluster_time_seconds: changes.clusterTime?.seconds ?? null,
      cluster_time_increment: changes.clusterTime?.increment ?? null,
    }),
    ...("failureReason" in changes && { failure_reason: changes.failureReason ?? null }),
    ...("parentManifestKey" in changes && { parent_manifest_key: changes.parentManifestKey ?? null }),
    ...("provenAtMs" in changes && { proven_at_ms: changes.provenAtMs ?? null }),
    ...(changes.newestKept !== undefined && { newest_kept: changes.newestKept }),
    ...("hold" in changes && holdColumns(changes.hold)),
    ...("drilledAtMs" in changes && { drilled_at_ms: changes.drilledAtMs ?? null }),
    ...("drillFailureReason" in changes && { drill_failure_reason: changes.drillFailureReason ?? null }),
    ...(changes.catalogueRevision !== undefined && { catalogue_revision: changes.catalogueRevision }),
    ...(changes.catalogueDue !== undefined && { catalogue_due: flag(changes.catalogueDue) }),
  };
}

export function toSnapshot(row: SnapshotRow): SnapshotRecord {
  return {
    id: row.id,
    deploymentId: row.deployment_id,
    sequence: row.sequence,
    status: row.status,
    snapshotType: row.snapshot_type,
    frequencyType: row.frequency_type,
    description: optional(row.description),
    requestedAtMs: row.requested_at_ms,
    createdAtMs: optional(row.captured_at_ms),
    completedAtMs: optional(row.completed_at_ms),
    expiresAtMs: row.expires_at_ms,
    retentionMs: row.retention_ms,
    storageSizeBytes: row.storage_size_bytes,
    addedSizeBytes: row.added_size_bytes,
    manifestKey: optional(row.manifest_key),
    serverVersion: optional(row.server_version),
    consistency: optional(row.consistency),
    clusterTime:
      row.cluster_time_seconds === null || row.cluster_time_increment === null
        ? undefined
        : { seconds: row.cluster_time_seconds, increment: row.cluster_time_increment },
    failureReason: optional(row.failure_reason),
    parentManifestKey: optional(row.parent_manifest_key),
    provenAtMs: optional(row.proven_at_ms),
    policyItemIds: listFrom<string>(row.policy_item_ids) ?? [],
    newestKept: row.newest_kept,
    hold:
      row.held_at_ms === null
        ? undefined
        : { atMs: row.held_at_ms, by: row.held_by ?? "", reason: row.hold_reason ?? "" },
    drilledAtMs: optional(row.drilled_at_ms),
    drillFailureReason: optional(row.drill_failure_reason),
    catalogueRevision: row.catalogue_revision,
    catalogueDue: row.catalogue_due === 1,
  };
}

function holdColumns(hold: SnapshotHold | undefined): Pick<SnapshotRow, "held_at_ms" | "held_by" | "hold_reason"> {
  return { held_at_ms: hold?.atMs ?? null, held_by: hold?.by ?? null, hold_reason: hold?.reason ?? null };
}
