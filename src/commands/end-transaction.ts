import { type Engine, EngineError } from "../engine/index.ts";
import { type CommandContext, type CommandDefinition, defineCommand } from "./define-command.ts";
import type { CommandTransaction } from "./transaction-fields.ts";

type End = (engine: Engine, transaction: CommandTransaction, context: CommandContext) => Promise<void> | void;

/** A command that ends the transaction it names. */
export function defineEnd(name: string, end: End): CommandDefinition {
  return defineCommand({
    name,
    action: "any",
    adminOnly: true,
    endsTransaction: true,
    takesWriteConcern: true,
    run: async (parameters, context) => {
      parameters.ignore("recoveryToken");
      parameters.rejectUnknown();
      const { transaction } = context;
      if (transaction === undefined)
        throw new EngineError(125, "CommandFailed", `${name} must be run within a transaction`);
      await end(await context.engine(), transaction, context);
      return [];
    },
  });
}
