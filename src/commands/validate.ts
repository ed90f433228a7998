import { arrayValue, boolValue, int32Value, int64Value, objectValue, stringValue } from "../engine/index.ts";
import { defineCommand } from "./define-command.ts";

/** `validate`: reads all of a collection and holds its documents and indexes to each other. Always the whole check, `full` or not. */
export const validate = defineCommand({
  name: "validate",
  action: "collectionAdmin",
  onCollection: true,
  run: async (parameters, context) => {
    const collection = parameters.collection();
    parameters.ignore("full");
    parameters.refuse("repair", "metadata", "background", "fixMultikey", "checkBSONConformance");
    parameters.rejectUnknown();
    const engine = await context.engine();
    const namespace = { database: context.database, collection };
    const report = await engine.validate(namespace, { signal: context.signal });
    return [
      ["ns", stringValue(`${context.database}.${collection}`)],
      ["nInvalidDocuments", int64Value(BigInt(report.invalidCount))],
      ["nrecords", int64Value(BigInt(report.documentCount))],
      ["nIndexes", int32Value(report.keysPerIndex.length)],
      [
        "keysPerIndex",
        objectValue(report.keysPerIndex.map(({ name, keyCount }) => [name, int64Value(BigInt(keyCount))] as const)),
      ],
      ["valid", boolValue(report.valid)],
      ["repaired", boolValue(false)],
      ["warnings", arrayValue([])],
      ["errors", arrayValue(report.errors.map(stringValue))],
    ];
  },
});
