import type { ColumnTypes } from "../node-sqlite.ts";

/** Collections of garbage on demand, with their results. */
export function garbageCollections({ integer, text, countingKey }: ColumnTypes): readonly string[] {
  return [
    `CREATE TABLE garbage_collections (
      position ${countingKey},
      id ${text} NOT NULL UNIQUE,
      status ${text} NOT NULL,
      requested_at_ms ${integer} NOT NULL,
      finished_at_ms ${integer},
      dry_run ${integer} NOT NULL,
      grace_ms ${integer} NOT NULL,
      repacks_max ${integer} NOT NULL,
      report ${text},
      failure_reason ${text}
    )`,
  ];
}
