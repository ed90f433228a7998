import type { Engine } from "../engine/index.ts";
import type { CommandDefinition, ServerFacts } from "./define-command.ts";
import { hexOf } from "./end-matching.ts";
import type { CommandTransaction, TransactionFields } from "./transaction-fields.ts";

/** Sessions noted as having begun a transaction, before those whose transactions have ended are forgotten. */
export const notedSessionsMax = 10_000;

/** Begins the transaction or goes on with it. Throws what `Transactions` throws. */
export async function enter(
  fields: TransactionFields,
  definition: CommandDefinition,
  server: Pick<ServerFacts, "transactionSessions">,
  engine: Engine,
): Promise<CommandTransaction> {
  const { sessionId, number, starts } = fields;
  if (definition.endsTransaction === true) return { ...fields, opened: undefined };
  if (!starts) return { ...fields, opened: engine.transactions.open(sessionId, number) };
  const { transactionSessions } = server;
  if (transactionSessions.size >= notedSessionsMax) {
    const open = new Set(engine.transactions.openSessions().map(hexOf));
    for (const key of transactionSessions) if (!open.has(key)) transactionSessions.delete(key);
  }
  transactionSessions.add(hexOf(sessionId));
  return { ...fields, opened: await engine.transactions.begin(sessionId, number) };
}
