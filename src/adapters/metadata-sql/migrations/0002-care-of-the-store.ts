import type { ColumnTypes } from "../node-sqlite.ts";

/** What takes care of stored snapshots: holds, drills, what was deleted, and when each stored object was checked. */
export function careOfTheStore({ integer, text, keptInKeyOrder }: ColumnTypes): readonly string[] {
  return [
    `ALTER TABLE snapshots ADD COLUMN parent_manifest_key ${text}`,
    `ALTER TABLE snapshots ADD COLUMN held ${integer} NOT NULL DEFAULT 0`,
    `ALTER TABLE snapshots ADD COLUMN proven_at_ms ${integer}`,
    `CREATE TABLE deleted_snapshots (id ${text} NOT NULL PRIMARY KEY) ${keptInKeyOrder}`,
    `CREATE TABLE object_checks (
      object_key ${text} NOT NULL PRIMARY KEY,
      checked_at_ms ${integer} NOT NULL
    ) ${keptInKeyOrder}`,
    `CREATE INDEX object_checks_by_time ON object_checks (checked_at_ms, object_key)`,
  ];
}
