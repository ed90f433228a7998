import { sql, type Kysely } from "kysely";
import { firstSlice } from "./migrations/0001-first-slice.ts";
import { careOfTheStore } from "./migrations/0002-care-of-the-store.ts";
import { policiesAndHolds } from "./migrations/0003-policies-and-holds.ts";
import { externalDeployments } from "./migrations/0004-external-deployments.ts";
import { garbageCollections } from "./migrations/0005-garbage-collections.ts";
import type { ColumnTypes } from "./node-sqlite.ts";
import type { Schema } from "./schema.ts";

/** A step of the schema. Once released it is never changed, only followed. */
export interface Migration {
  readonly name: string;
  readonly statements: (types: ColumnTypes) => readonly string[];
}

/** In order; the first brings an empty database to version 1. */
export const migrations: readonly Migration[] = [
  { name: "0001-first-slice", statements: firstSlice },
  { name: "0002-care-of-the-store", statements: careOfTheStore },
  { name: "0003-policies-and-holds", statements: policiesAndHolds },
  { name: "0004-external-deployments", statements: externalDeployments },
  { name: "0005-garbage-collections", statements: garbageCollections },
];

/**
 * Brings the database to the newest schema, each step all or nothing. Throws, having changed nothing, when the database was written by
 * a newer version of the product.
 */
export async function migrate(
  database: Kysely<Schema>,
  types: ColumnTypes,
  nowMs: number | undefined,
  steps: readonly Migration[] = migrations,
): Promise<void> {
  await sql`CREATE TABLE IF NOT EXISTS schema_migrations (
    version ${sql.raw(types.integer)} NOT NULL PRIMARY KEY,
    name ${sql.raw(types.text)} NOT NULL,
    applied_at_ms ${sql.raw(types.integer)}
  )`.execute(database);
  const found = await schemaVersion(database);
  if (found > steps.length) {
    throw new Error(
      `The metadata database has schema version ${found}, but this version of Telamon knows only ${steps.length}. Start the newer version, or restore an older copy of the database.`,
    );
  }
  for (let version = found + 1; version <= steps.length; version += 1) {
    const step = steps[version - 1];
    if (step !== undefined) await applyStep(database, types, nowMs, version, step);
  }
}

/** 0 for a database that no step was applied to. */
async function schemaVersion(database: Kysely<Schema>): Promise<number> {
  const { rows } = await sql<{
    version: number | null;
  }>`SELECT MAX(version) AS version FROM schema_migrations`.execute(database);
  return rows[0]?.version ?? 0;
}

async function applyStep(
  database: Kysely<Schema>,
  types: ColumnTypes,
  nowMs: number | undefined,
  version: number,
  step: Migration,
): Promise<void> {
  await database.transaction().execute(async (transaction) => {
    for (const statement of step.statements(types)) await sql.raw(statement).execute(transaction);
    await sql`INSERT INTO schema_migrations (version, name, applied_at_ms)
      VALUES (${version}, ${step.name}, ${nowMs ?? null})`.execute(transaction);
  });
}
