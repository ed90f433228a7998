import { EngineError, type Namespace } from "../engine/index.ts";
import { defineCommand } from "./define-command.ts";
import { requireAllowed } from "./privileges.ts";

/** `renameCollection`: another name, in another database too. Both names have to be the user's to change. */
export const renameCollection = defineCommand({
  name: "renameCollection",
  action: "any",
  adminOnly: true,
  takesWriteConcern: true,
  run: async (parameters, context) => {
    const from = namespaceOf(parameters.requiredText("renameCollection"));
    const to = namespaceOf(parameters.requiredText("to"));
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

function namespaceOf(text: string): Namespace {
  const dot = text.indexOf(".");
  if (dot <= 0 || dot === text.length - 1)
    throw new EngineError(73, "InvalidNamespace", `Invalid namespace specified: ${text}`);
  return { database: text.slice(0, dot), collection: text.slice(dot + 1) };
}
