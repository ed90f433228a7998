import type { ColumnTypes } from "../node-sqlite.ts";

/** Policies of deployments, who holds a snapshot and why, what its last trial said, and which records the store has to be told anew. */
export function policiesAndHolds({ integer, text }: ColumnTypes): readonly string[] {
  return [
    `ALTER TABLE deployments ADD COLUMN backup_policy ${text}`,
    `ALTER TABLE deployments ADD COLUMN owed_policy_item_ids ${text}`,
    `ALTER TABLE snapshots ADD COLUMN policy_item_ids ${text}`,
    `ALTER TABLE snapshots ADD COLUMN newest_kept ${integer} NOT NULL DEFAULT 1`,
    `ALTER TABLE snapshots ADD COLUMN held_at_ms ${integer}`,
    `ALTER TABLE snapshots ADD COLUMN held_by ${text}`,
    `ALTER TABLE snapshots ADD COLUMN hold_reason ${text}`,
    `ALTER TABLE snapshots ADD COLUMN drilled_at_ms ${integer}`,
    `ALTER TABLE snapshots ADD COLUMN drill_failure_reason ${text}`,
    `ALTER TABLE snapshots ADD COLUMN catalogue_revision ${integer} NOT NULL DEFAULT 0`,
    `ALTER TABLE snapshots ADD COLUMN catalogue_due ${integer} NOT NULL DEFAULT 0`,
    `ALTER TABLE snapshots DROP COLUMN held`,
    `UPDATE snapshots SET drilled_at_ms = proven_at_ms WHERE proven_at_ms IS NOT NULL`,
    `DROP INDEX snapshots_daily_and_rarer`,
    `CREATE INDEX snapshots_held ON snapshots (deployment_id, held_at_ms) WHERE held_at_ms IS NOT NULL`,
    `CREATE INDEX snapshots_drilled ON snapshots (deployment_id, proven_at_ms, drilled_at_ms) WHERE drilled_at_ms IS NOT NULL`,
    `CREATE INDEX snapshots_catalogue_due ON snapshots (deployment_id) WHERE catalogue_due = 1`,
  ];
}
