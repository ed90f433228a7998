import type { ColumnTypes } from "../node-sqlite.ts";

/** Organizations to jobs: everything the first slice knows. */
export function firstSlice({ integer, text, bytes, countingKey, keptInKeyOrder }: ColumnTypes): readonly string[] {
  return [
    `CREATE TABLE organizations (
      id ${text} NOT NULL PRIMARY KEY,
      name ${text} NOT NULL,
      created_at_ms ${integer} NOT NULL
    ) ${keptInKeyOrder}`,

    `CREATE TABLE projects (
      id ${text} NOT NULL PRIMARY KEY,
      organization_id ${text} NOT NULL REFERENCES organizations (id),
      name ${text} NOT NULL,
      created_at_ms ${integer} NOT NULL,
      tags ${text},
      with_default_alerts_settings ${integer} NOT NULL,
      UNIQUE (organization_id, name)
    ) ${keptInKeyOrder}`,

    `CREATE TABLE api_keys (
      id ${text} NOT NULL PRIMARY KEY,
      organization_id ${text} NOT NULL REFERENCES organizations (id),
      public_key ${text} NOT NULL UNIQUE,
      description ${text} NOT NULL,
      sealed_digest_secrets ${bytes} NOT NULL,
      private_key_suffix ${text} NOT NULL,
      created_at_ms ${integer} NOT NULL
    ) ${keptInKeyOrder}`,

    `CREATE TABLE service_accounts (
      client_id ${text} NOT NULL PRIMARY KEY,
      organization_id ${text} NOT NULL REFERENCES organizations (id),
      name ${text} NOT NULL,
      description ${text} NOT NULL,
      created_at_ms ${integer} NOT NULL
    ) ${keptInKeyOrder}`,

    `CREATE TABLE service_account_secrets (
      client_id ${text} NOT NULL REFERENCES service_accounts (client_id) ON DELETE CASCADE,
      id ${text} NOT NULL,
      secret_hash ${bytes} NOT NULL,
      created_at_ms ${integer} NOT NULL,
      expires_at_ms ${integer} NOT NULL,
      last_used_at_ms ${integer},
      PRIMARY KEY (client_id, id)
    ) ${keptInKeyOrder}`,

    `CREATE TABLE role_assignments (
      principal_id ${text} NOT NULL,
      scope ${text} NOT NULL,
      scope_id ${text} NOT NULL,
      role_name ${text} NOT NULL,
      PRIMARY KEY (principal_id, scope, scope_id, role_name)
    ) ${keptInKeyOrder}`,

    `CREATE TABLE access_tokens (
      token_hash ${bytes} NOT NULL PRIMARY KEY,
      client_id ${text} NOT NULL REFERENCES service_accounts (client_id) ON DELETE CASCADE,
      expires_at_ms ${integer} NOT NULL
    ) ${keptInKeyOrder}`,
    `CREATE INDEX access_tokens_of_account ON access_tokens (client_id, expires_at_ms)`,
    `CREATE INDEX access_tokens_by_expiry ON access_tokens (expires_at_ms)`,

    `CREATE TABLE deployments (
      position ${countingKey},
      id ${text} NOT NULL UNIQUE,
      project_id ${text} NOT NULL REFERENCES projects (id),
      kind ${text} NOT NULL,
      name ${text} NOT NULL,
      state ${text} NOT NULL,
      created_at_ms ${integer} NOT NULL,
      backing_provider_name ${text} NOT NULL,
      region_name ${text} NOT NULL,
      continuous_backup_enabled ${integer} NOT NULL,
      termination_protection_enabled ${integer} NOT NULL,
      tags ${text},
      port ${integer},
      generation ${integer} NOT NULL,
      next_snapshot_at_ms ${integer} NOT NULL,
      UNIQUE (project_id, name)
    )`,
    `CREATE INDEX deployments_of_project ON deployments (project_id, position)`,
    `CREATE INDEX deployments_by_next_snapshot ON deployments (next_snapshot_at_ms) WHERE state = 'IDLE'`,

    `CREATE TABLE database_users (
      project_id ${text} NOT NULL REFERENCES projects (id),
      database_name ${text} NOT NULL,
      username ${text} NOT NULL,
      salt ${bytes} NOT NULL,
      iteration_count ${integer} NOT NULL,
      stored_key ${bytes} NOT NULL,
      server_key ${bytes} NOT NULL,
      roles ${text} NOT NULL,
      scopes ${text} NOT NULL,
      labels ${text} NOT NULL,
      description ${text},
      delete_after_ms ${integer},
      created_at_ms ${integer} NOT NULL,
      PRIMARY KEY (project_id, database_name, username)
    ) ${keptInKeyOrder}`,
    `CREATE INDEX database_users_by_end ON database_users (delete_after_ms) WHERE delete_after_ms IS NOT NULL`,

    `CREATE TABLE snapshots (
      deployment_id ${text} NOT NULL REFERENCES deployments (id),
      sequence ${integer} NOT NULL,
      id ${text} NOT NULL UNIQUE,
      status ${text} NOT NULL,
      snapshot_type ${text} NOT NULL,
      frequency_type ${text} NOT NULL,
      description ${text},
      requested_at_ms ${integer} NOT NULL,
      captured_at_ms ${integer},
      completed_at_ms ${integer},
      expires_at_ms ${integer} NOT NULL,
      retention_ms ${integer} NOT NULL,
      storage_size_bytes ${integer} NOT NULL,
      added_size_bytes ${integer} NOT NULL,
      manifest_key ${text},
      server_version ${text},
      consistency ${text},
      cluster_time_seconds ${integer},
      cluster_time_increment ${integer},
      failure_reason ${text},
      PRIMARY KEY (deployment_id, sequence)
    ) ${keptInKeyOrder}`,
    `CREATE INDEX snapshots_unfinished ON snapshots (deployment_id, snapshot_type, status)
      WHERE status IN ('queued', 'inProgress')`,
    `CREATE INDEX snapshots_by_expiry ON snapshots (expires_at_ms) WHERE status IN ('completed', 'failed')`,
    `CREATE INDEX snapshots_daily_and_rarer ON snapshots (deployment_id, frequency_type, sequence, status)
      WHERE frequency_type IN ('daily', 'weekly', 'monthly')`,

    `CREATE TABLE snapshot_counters (
      deployment_id ${text} NOT NULL PRIMARY KEY REFERENCES deployments (id),
      last_sequence ${integer} NOT NULL,
      snapshot_count ${integer} NOT NULL
    ) ${keptInKeyOrder}`,
    `CREATE TABLE snapshot_buckets (
      deployment_id ${text} NOT NULL REFERENCES deployments (id),
      shift ${integer} NOT NULL,
      bucket ${integer} NOT NULL,
      snapshot_count ${integer} NOT NULL,
      PRIMARY KEY (deployment_id, shift, bucket)
    ) ${keptInKeyOrder}`,

    `CREATE TABLE restore_jobs (
      position ${countingKey},
      id ${text} NOT NULL UNIQUE,
      deployment_id ${text} NOT NULL REFERENCES deployments (id),
      snapshot_id ${text} NOT NULL,
      delivery_type ${text} NOT NULL,
      target_project_id ${text} NOT NULL,
      target_deployment_id ${text} NOT NULL,
      target_name ${text} NOT NULL,
      requested_at_ms ${integer} NOT NULL,
      snapshot_created_at_ms ${integer} NOT NULL,
      finished_at_ms ${integer},
      failed ${integer} NOT NULL,
      failure_reason ${text}
    )`,
    `CREATE INDEX restore_jobs_of_deployment ON restore_jobs (deployment_id, position)`,
    `CREATE UNIQUE INDEX restore_jobs_unfinished_by_target ON restore_jobs (target_deployment_id)
      WHERE finished_at_ms IS NULL`,
    `CREATE INDEX restore_jobs_unfinished_by_snapshot ON restore_jobs (snapshot_id) WHERE finished_at_ms IS NULL`,

    `CREATE TABLE jobs (
      position ${countingKey},
      id ${text} NOT NULL UNIQUE,
      kind ${text} NOT NULL,
      subject_id ${text} NOT NULL,
      exclusive_key ${text} NOT NULL,
      run_at_ms ${integer} NOT NULL,
      attempts ${integer} NOT NULL,
      lease_owner ${text},
      lease_token ${integer} NOT NULL,
      lease_until_ms ${integer},
      last_reason ${text}
    )`,
    `CREATE INDEX jobs_by_key ON jobs (exclusive_key, position)`,
    `CREATE INDEX jobs_by_subject ON jobs (subject_id)`,
  ];
}
