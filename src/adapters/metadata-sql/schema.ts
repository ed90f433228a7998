import type { Generated } from "kysely";
import type { JobKind } from "../../ports/metadata/job-records.ts";

/** A flag is 0 or 1, a time is milliseconds since the epoch, a list is JSON text: the same in every dialect. */
export interface Schema {
  organizations: OrganizationRow;
  projects: ProjectRow;
  api_keys: ApiKeyRow;
  service_accounts: ServiceAccountRow;
  service_account_secrets: ServiceAccountSecretRow;
  role_assignments: RoleAssignmentRow;
  access_tokens: AccessTokenRow;
  deployments: DeploymentRow;
  external_sources: ExternalSourceRow;
  database_users: DatabaseUserRow;
  snapshots: SnapshotRow;
  snapshot_counters: SnapshotCounterRow;
  deleted_snapshots: DeletedSnapshotRow;
  object_checks: ObjectCheckRow;
  garbage_collections: GarbageCollectionRow;
  snapshot_buckets: SnapshotBucketRow;
  restore_jobs: RestoreJobRow;
  jobs: JobRow;
}

export type Flag = 0 | 1;

export interface OrganizationRow {
  id: string;
  name: string;
  created_at_ms: number;
}

export interface ProjectRow {
  id: string;
  organization_id: string;
  name: string;
  created_at_ms: number;
  tags: string | null;
  with_default_alerts_settings: Flag;
}

export interface ApiKeyRow {
  id: string;
  organization_id: string;
  public_key: string;
  description: string;
  sealed_digest_secrets: Uint8Array;
  private_key_suffix: string;
  created_at_ms: number;
}

export interface ServiceAccountRow {
  client_id: string;
  organization_id: string;
  name: string;
  description: string;
  created_at_ms: number;
}

export interface ServiceAccountSecretRow {
  client_id: string;
  id: string;
  secret_hash: Uint8Array;
  created_at_ms: number;
  expires_at_ms: number;
  last_used_at_ms: number | null;
}

export interface RoleAssignmentRow {
  /** Id of an API key or client id of a service account. */
  principal_id: string;
  scope: "organization" | "project";
  scope_id: string;
  role_name: string;
}

export interface AccessTokenRow {
  token_hash: Uint8Array;
  client_id: string;
  expires_at_ms: number;
}

export interface DeploymentRow {
  /** Order of creation. */
  position: Generated<number>;
  id: string;
  project_id: string;
  kind: "serverless" | "external";
  name: string;
  state: "CREATING" | "IDLE" | "UPDATING" | "DELETING" | "REPAIRING" | "DETACHED";
  created_at_ms: number;
  backing_provider_name: string;
  region_name: string;
  continuous_backup_enabled: Flag;
  termination_protection_enabled: Flag;
  tags: string | null;
  port: number | null;
  generation: number;
  next_snapshot_at_ms: number;
  /** JSON; null for that of its kind. */
  backup_policy: string | null;
  owed_policy_item_ids: string | null;
}

/** How an external deployment is reached. */
export interface ExternalSourceRow {
  deployment_id: string;
  /** Null while it is detached. */
  sealed_connection_string: Uint8Array | null;
  hosts: string;
  replaced_at_ms: number;
  /** JSON text of what was found when it was last tried. */
  probe: string | null;
}

export interface DatabaseUserRow {
  project_id: string;
  database_name: string;
  username: string;
  salt: Uint8Array;
  iteration_count: number;
  stored_key: Uint8Array;
  server_key: Uint8Array;
  roles: string;
  scopes: string;
  labels: string;
  description: string | null;
  delete_after_ms: number | null;
  created_at_ms: number;
}

export interface SnapshotRow {
  deployment_id: string;
  sequence: number;
  id: string;
  status: "queued" | "inProgress" | "completed" | "failed";
  snapshot_type: "onDemand" | "scheduled";
  frequency_type: "ondemand" | "hourly" | "daily" | "weekly" | "monthly" | "yearly";
  description: string | null;
  requested_at_ms: number;
  captured_at_ms: number | null;
  completed_at_ms: number | null;
  expires_at_ms: number;
  retention_ms: number;
  storage_size_bytes: number;
  added_size_bytes: number;
  manifest_key: string | null;
  server_version: string | null;
  consistency: "exact" | "log_catch_up" | "best_effort" | null;
  cluster_time_seconds: number | null;
  cluster_time_increment: number | null;
  failure_reason: string | null;
  parent_manifest_key: string | null;
  proven_at_ms: number | null;
  policy_item_ids: string | null;
  newest_kept: number;
  held_at_ms: number | null;
  held_by: string | null;
  hold_reason: string | null;
  drilled_at_ms: number | null;
  drill_failure_reason: string | null;
  catalogue_revision: number;
  catalogue_due: Flag;
}

/** Ids of snapshots that were deleted or expired: what the store holds of them is garbage. */
export interface DeletedSnapshotRow {
  id: string;
}

export interface GarbageCollectionRow {
  /** Order of request. */
  position: Generated<number>;
  id: string;
  status: "queued" | "inProgress" | "completed" | "failed";
  requested_at_ms: number;
  finished_at_ms: number | null;
  dry_run: Flag;
  grace_ms: number;
  repacks_max: number;
  /** JSON. */
  report: string | null;
  failure_reason: string | null;
}

export interface ObjectCheckRow {
  object_key: string;
  /** 0: never. */
  checked_at_ms: number;
}

/** One row per deployment: the last sequence number given and how many snapshots there are. */
export interface SnapshotCounterRow {
  deployment_id: string;
  last_sequence: number;
  snapshot_count: number;
}

/** How many snapshots have a sequence number in `[bucket << shift, (bucket + 1) << shift)`; rows of none are removed. */
export interface SnapshotBucketRow {
  deployment_id: string;
  shift: number;
  bucket: number;
  snapshot_count: number;
}

export interface RestoreJobRow {
  /** Order of request. */
  position: Generated<number>;
  id: string;
  deployment_id: string;
  snapshot_id: string;
  delivery_type: "automated";
  target_project_id: string;
  target_deployment_id: string;
  target_name: string;
  requested_at_ms: number;
  snapshot_created_at_ms: number;
  finished_at_ms: number | null;
  failed: Flag;
  failure_reason: string | null;
  replaces_existing: Flag;
  publishing: Flag;
}

export interface JobRow {
  /** Order of arrival; among jobs of one exclusive key the lowest goes first. */
  position: Generated<number>;
  id: string;
  kind: JobKind;
  subject_id: string;
  exclusive_key: string;
  run_at_ms: number;
  attempts: number;
  lease_owner: string | null;
  /** Goes up with every lease and never down. */
  lease_token: number;
  lease_until_ms: number | null;
  last_reason: string | null;
}
