import { EngineError } from "../engine/index.ts";
import { defineCommand } from "./define-command.ts";

/** `abortTransaction`: nothing of what the transaction wrote. */
export const abortTransaction = defineCommand({
  name: "abortTransaction",
  action: "any",
  adminOnly: true,
  endsTransaction: true,
  takesWriteConcern: true,
  run: async (parameters, context) => {
    parameters.ignore("recoveryToken");
    parameters.rejectUnknown();
    const { transaction } = context;
    if (transaction === undefined)
      throw new EngineError(125, "CommandFailed", "abortTransaction must be run within a transaction");
    const engine = await context.engine();
    engine.transactions.abort(transaction.sessionId, transaction.number);
    return [];
  },
});
