import { EngineError, int32Value, type DeleteStatement } from "../engine/index.ts";
import { defineCommand } from "./define-command.ts";
import { Parameters } from "./parameters.ts";
import { orderedOf, requireStatements, writeErrorsField } from "./write-reply.ts";

/** `delete`. */
export const deleteCommand = defineCommand({
  name: "delete",
  action: "write",
  onCollection: true,
  run: async (parameters, context) => {
    const collection = parameters.collection();
    const variables = parameters.document("let");
    const statements = parameters.requiredDocuments("deletes").map((bytes) => statementOf(bytes, variables));
    const ordered = orderedOf(parameters);
    parameters.ignore("stmtIds", "stmtId");
    parameters.rejectUnknown();
    requireStatements(statements.length);
    const engine = await context.engine();
    const result = await engine.delete({ database: context.database, collection }, statements, ordered, context.write);
    return [["n", int32Value(result.deletedCount)], ...writeErrorsField(result.writeErrors)];
  },
});

function statementOf(bytes: Uint8Array, variables: Uint8Array | undefined): DeleteStatement {
  const fields = new Parameters("deletes", bytes, new Map());
  const filter = fields.document("q");
  const limit = fields.whole("limit", 0);
  fields.refuseCollation();
  fields.ignore("hint");
  fields.rejectUnknown();
  if (filter === undefined)
    throw new EngineError(40_414, "Location40414", "BSON field 'delete.deletes.q' is missing but a required field");
  if (limit === undefined || limit > 1)
    throw new EngineError(
      9,
      "FailedToParse",
      `The limit field in delete objects must be 0 or 1. Got ${limit ?? "nothing"}`,
    );
  return { filter, justOne: limit === 1, ...(variables === undefined ? {} : { variables }) };
}
