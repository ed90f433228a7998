import { EngineError, int32Value, type DeleteStatement } from "../engine/index.ts";
import { defineCommand } from "./define-command.ts";
import { hintOf } from "./hint.ts";
import { mapInTurns } from "./in-turns.ts";
import { Parameters } from "./parameters.ts";
import {
  orderedOf,
  requireOneEach,
  requireStatements,
  retriedField,
  statementIdsOf,
  withStatements,
  writeErrorsField,
} from "./write-reply.ts";

/** `delete`. */
export const deleteCommand = defineCommand({
  name: "delete",
  action: "write",
  onCollection: true,
  retryable: true,
  counted: "delete",
  run: async (parameters, context) => {
    const collection = parameters.collection();
    const variables = parameters.document("let");
    const statements = await mapInTurns(parameters.requiredDocuments("deletes"), context.signal, (bytes) =>
      statementOf(bytes, variables),
    );
    const ordered = orderedOf(parameters);
    const write = withStatements(context.write, statementIdsOf(parameters, statements.length));
    parameters.rejectUnknown();
    requireStatements(statements.length);
    requireOneEach(
      context.write,
      statements.every(({ justOne }) => justOne),
      "limit=0",
    );
    const engine = await context.engine();
    const namespace = { database: context.database, collection };
    const result = await engine.delete(namespace, statements, ordered, write);
    return [["n", int32Value(result.deletedCount)], ...writeErrorsField(result.writeErrors), ...retriedField(result)];
  },
});

function statementOf(bytes: Uint8Array, variables: Uint8Array | undefined): DeleteStatement {
  const fields = Parameters.within("delete.deletes", bytes);
  const filter = fields.document("q");
  const limit = fields.whole("limit", 0);
  const collation = fields.document("collation");
  const hint = hintOf(fields.get("hint"));
  fields.rejectUnknown();
  if (filter === undefined)
    throw new EngineError(40_414, "Location40414", "BSON field 'delete.deletes.q' is missing but a required field");
  if (limit === undefined || limit > 1)
    throw new EngineError(
      9,
      "FailedToParse",
      `The limit field in delete objects must be 0 or 1. Got ${limit ?? "nothing"}`,
    );
  return { filter, justOne: limit === 1, collation, hint, ...(variables === undefined ? {} : { variables }) };
}
