import { pipelineNamespaces, type Value } from "../engine/index.ts";
import type { CommandContext } from "./define-command.ts";
import { isAllowed, unauthorized } from "./privileges.ts";

/** Throws 13 unless the user may read and write what the stages name besides the collection itself (manual, "Aggregation Pipeline", privileges). */
export function requireRights(
  main: Value,
  pipeline: readonly Uint8Array[],
  { connection, database }: Pick<CommandContext, "connection" | "database">,
): void {
  for (const { namespace, writes } of pipelineNamespaces(database, pipeline)) {
    const { user } = connection;
    const action = writes ? "write" : "find";
    if (user === undefined || !isAllowed(user.credential, action, namespace.database, namespace.collection))
      throw unauthorized("aggregate", main, database);
  }
}
