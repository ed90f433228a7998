import { buildDocument, fieldsOf, type Value } from "../engine/index.ts";
import { defineCommand } from "./define-command.ts";

const changes = [
  "index",
  "validator",
  "validationLevel",
  "validationAction",
  "viewOn",
  "pipeline",
  "changeStreamPreAndPostImages",
  "expireAfterSeconds",
];

/** `collMod`: changes an index, the rules for documents, whether images of them are kept, or what a view shows. */
export const collMod = defineCommand({
  name: "collMod",
  action: "collectionAdmin",
  onCollection: true,
  run: async (parameters, context) => {
    const collection = parameters.collection();
    const given: (readonly [string, Value])[] = [];
    for (const name of changes) {
      const value = parameters.get(name);
      if (value !== undefined) given.push([name, value]);
    }
    const engine = await context.engine();
    const namespace = { database: context.database, collection };
    const reply = await engine.modifyCollection(namespace, buildDocument(given), context.write);
    return Array.from(fieldsOf(reply), ({ name, value }) => [name, value] as const);
  },
});
