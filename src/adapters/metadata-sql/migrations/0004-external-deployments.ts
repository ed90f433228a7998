import type { ColumnTypes } from "../node-sqlite.ts";

/** Deployments that run elsewhere: how they are reached, and what restores into them need to know. */
export function externalDeployments({ integer, text, bytes, keptInKeyOrder }: ColumnTypes): readonly string[] {
  return [
    `CREATE TABLE external_sources (
      deployment_id ${text} NOT NULL PRIMARY KEY REFERENCES deployments (id),
      sealed_connection_string ${bytes},
      hosts ${text} NOT NULL,
      replaced_at_ms ${integer} NOT NULL,
      probe ${text}
    ) ${keptInKeyOrder}`,
    `ALTER TABLE restore_jobs ADD COLUMN replaces_existing ${integer} NOT NULL DEFAULT 0`,
    `ALTER TABLE restore_jobs ADD COLUMN publishing ${integer} NOT NULL DEFAULT 0`,
  ];
}
