import type { Kysely } from "kysely";
import type { Schema } from "./schema.ts";

/** Where an aggregate's queries run: the same connection inside a transaction, two outside of one. */
export interface Connections {
  readonly read: Kysely<Schema>;
  readonly write: Kysely<Schema>;
}

/** Several statements, all or nothing: in the transaction that is open, or in one of their own. */
export function atomically<Result>(
  connections: Connections,
  work: (transaction: Kysely<Schema>) => Promise<Result>,
): Promise<Result> {
  if (connections.write.isTransaction) return work(connections.write);
  return connections.write.transaction().execute(work);
}
