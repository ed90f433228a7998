import { pipelineNamespaces, type Value } from "../engine/index.ts";
import type { CommandContext } from "./define-command.ts";
import { requireAllowed } from "./privileges.ts";

/** Throws 13 unless the user may read and write what the stages name besides the collection itself (manual, "Aggregation Pipeline", privileges). */
export async function requireRights(
  main: Value,
  pipeline: readonly Uint8Array[],
  { connection, database }: Pick<CommandContext, "connection" | "database">,
): Promise<void> {
  for (const { namespace, writes } of await pipelineNamespaces(database, pipeline))
    requireAllowed(connection.user?.credential, writes ? "write" : "find", namespace, {
      command: "aggregate",
      main,
      database,
    });
}
