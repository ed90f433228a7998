import { buildDocument, type Value } from "../engine/index.ts";
import { defineCommand } from "./define-command.ts";

const notOptions = new Set([
  "create",
  "$db",
  "lsid",
  "txnNumber",
  "$clusterTime",
  "$readPreference",
  "writeConcern",
  "readConcern",
  "comment",
  "maxTimeMS",
  "apiVersion",
  "apiStrict",
  "apiDeprecationErrors",
  "autoIndexId",
  "idIndex",
  "storageEngine",
  "indexOptionDefaults",
  "flags",
]);

/** `create`: a collection. Options that change what it is are refused by the engine. */
export const create = defineCommand({
  name: "create",
  action: "collectionAdmin",
  onCollection: true,
  run: async (parameters, context) => {
    const collection = parameters.collection();
    const options: (readonly [string, Value])[] = [];
    for (const name of optionNames) {
      const value = parameters.get(name);
      const off = value !== undefined && name === "capped" && value.bytes()[0] === 0;
      if (value !== undefined && !off) options.push([name, value]);
    }
    parameters.ignore(...notOptions);
    parameters.rejectUnknown();
    const engine = await context.engine();
    await engine.createCollection({ database: context.database, collection }, buildDocument(options), context.write);
    return [];
  },
});

const optionNames = [
  "capped",
  "size",
  "max",
  "timeseries",
  "expireAfterSeconds",
  "clusteredIndex",
  "changeStreamPreAndPostImages",
  "validator",
  "validationLevel",
  "validationAction",
  "viewOn",
  "pipeline",
  "collation",
  "encryptedFields",
];
