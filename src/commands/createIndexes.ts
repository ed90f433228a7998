import { boolValue, EngineError, int32Value, stringValue, withoutUnknownOptions } from "../engine/index.ts";
import { defineCommand } from "./define-command.ts";

/** `createIndexes`. */
export const createIndexes = defineCommand({
  name: "createIndexes",
  action: "collectionAdmin",
  onCollection: true,
  run: async (parameters, context) => {
    const collection = parameters.collection();
    const specifications = parameters.requiredDocuments("indexes");
    const ignoreUnknown = parameters.flag("ignoreUnknownIndexOptions");
    parameters.ignore("commitQuorum");
    parameters.rejectUnknown();
    if (specifications.length === 0) throw new EngineError(2, "BadValue", "Must specify at least one index to create");
    const engine = await context.engine();
    const result = await engine.createIndexes(
      { database: context.database, collection },
      ignoreUnknown ? await Promise.all(specifications.map(withoutUnknownOptions)) : specifications,
      context.write,
    );
    return [
      ["numIndexesBefore", int32Value(result.countBefore)],
      ["numIndexesAfter", int32Value(result.countAfter)],
      ["createdCollectionAutomatically", boolValue(result.createdCollection)],
      ...(result.countBefore === result.countAfter
        ? ([["note", stringValue("all indexes already exist")]] as const)
        : []),
    ];
  },
});
