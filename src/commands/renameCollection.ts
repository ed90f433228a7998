import { defineCommand } from "./define-command.ts";
import { namespaceNamed } from "./namespace.ts";
import { requireAllowed } from "./privileges.ts";

const refusal = "Invalid namespace specified";

/** `renameCollection`: another name, in another database too. Both names have to be the user's to change. */
export const renameCollection = defineCommand({
  name: "renameCollection",
  action: "any",
  adminOnly: true,
  takesWriteConcern: true,
  run: async (parameters, context) => {
    const from = namespaceNamed(parameters.requiredText("renameCollection"), refusal);
    const to = namespaceNamed(parameters.requiredText("to"), refusal);
    const dropTarget = parameters.flag("dropTarget");
    parameters.rejectUnknown();
    const { main } = parameters;
    for (const namespace of [from, to])
      requireAllowed(context.connection.user?.credential, "collectionAdmin", namespace, {
        command: "renameCollection",
        main,
        database: namespace.database,
      });
    const engine = await context.engine();
    await engine.renameCollection(from, to, dropTarget, context.write);
    return [];
  },
});
