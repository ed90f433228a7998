import type { Engine } from "../engine/index.ts";
import type { CommandDefinition, ServerFacts } from "./define-command.ts";
import type { CommandTransaction, TransactionFields } from "./transaction-fields.ts";

/** Begins the transaction or goes on with it. Throws what `Transactions` throws. */
export async function enter(
  fields: TransactionFields,
  definition: CommandDefinition,
  server: ServerFacts,
  engine: Engine,
): Promise<CommandTransaction> {
  const { sessionId, number, starts } = fields;
  if (definition.endsTransaction === true) return { ...fields, opened: undefined };
  if (!starts) return { ...fields, opened: engine.transactions.open(sessionId, number) };
  server.transactionSessions.add(Buffer.from(sessionId).toString("hex"));
  return { ...fields, opened: await engine.transactions.begin(sessionId, number) };
}
