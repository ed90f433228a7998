import { EngineError, int32Value } from "../engine/index.ts";
import { defineCommand } from "./define-command.ts";
import { orderedOf, statementsMax, writeErrorsField } from "./write-reply.ts";

/** `insert`. */
export const insert = defineCommand({
  name: "insert",
  action: "write",
  onCollection: true,
  run: async (parameters, context) => {
    const collection = parameters.collection();
    const documents = parameters.requiredDocuments("documents");
    const ordered = orderedOf(parameters);
    parameters.ignore("bypassDocumentValidation", "bypassEmptyTsReplacement", "stmtIds", "stmtId");
    parameters.rejectUnknown();
    if (documents.length === 0 || documents.length > statementsMax) {
      throw new EngineError(
        16,
        "InvalidLength",
        `Write batch sizes must be between 1 and ${statementsMax}. Got ${documents.length} operations.`,
      );
    }
    const engine = await context.engine();
    const { insertedCount, writeErrors } = await engine.insert(
      { database: context.database, collection },
      documents,
      ordered,
      context.write,
    );
    return [["n", int32Value(insertedCount)], ...writeErrorsField(writeErrors)];
  },
});
