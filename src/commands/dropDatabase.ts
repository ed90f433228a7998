import { stringValue } from "../engine/index.ts";
import { defineCommand } from "./define-command.ts";

/** `dropDatabase`. */
export const dropDatabase = defineCommand({
  name: "dropDatabase",
  action: "databaseAdmin",
  run: async (parameters, context) => {
    parameters.rejectUnknown();
    const engine = await context.engine();
    const there = (await engine.listCollections(context.database, { signal: context.signal })).length > 0;
    await engine.dropDatabase(context.database, context.write);
    return there ? [["dropped", stringValue(context.database)]] : [];
  },
});
