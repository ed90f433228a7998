import { int32Value } from "../engine/index.ts";
import { defineCommand } from "./define-command.ts";
import {
  orderedOf,
  requireStatements,
  retriedField,
  statementIdsOf,
  withStatements,
  writeErrorsField,
} from "./write-reply.ts";

/** `insert`. */
export const insert = defineCommand({
  name: "insert",
  action: "write",
  onCollection: true,
  retryable: true,
  counted: "insert",
  run: async (parameters, context) => {
    const collection = parameters.collection();
    const documents = parameters.requiredDocuments("documents");
    const ordered = orderedOf(parameters);
    const bypassDocumentValidation = parameters.flag("bypassDocumentValidation");
    parameters.ignore("bypassEmptyTsReplacement");
    const write = withStatements(context.write, statementIdsOf(parameters, documents.length));
    parameters.rejectUnknown();
    requireStatements(documents.length);
    const engine = await context.engine();
    const result = await engine.insert({ database: context.database, collection }, documents, ordered, {
      ...write,
      bypassDocumentValidation,
    });
    return [["n", int32Value(result.insertedCount)], ...writeErrorsField(result.writeErrors), ...retriedField(result)];
  },
});
