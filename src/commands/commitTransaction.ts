import { EngineError } from "../engine/index.ts";
import { defineCommand } from "./define-command.ts";

/** `commitTransaction`: all that the transaction wrote, or nothing. */
export const commitTransaction = defineCommand({
  name: "commitTransaction",
  action: "any",
  adminOnly: true,
  endsTransaction: true,
  takesWriteConcern: true,
  run: async (parameters, context) => {
    parameters.ignore("recoveryToken");
    parameters.rejectUnknown();
    const { transaction } = context;
    if (transaction === undefined)
      throw new EngineError(125, "CommandFailed", "commitTransaction must be run within a transaction");
    const engine = await context.engine();
    await engine.transactions.commit(transaction.sessionId, transaction.number, context.write);
    return [];
  },
});
