import {
  arrayValue,
  bsonType,
  documentValue,
  elementsOf,
  EngineError,
  int32Value,
  type UpdateStatement,
} from "../engine/index.ts";
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

/** `update`. */
export const update = defineCommand({
  name: "update",
  action: "write",
  onCollection: true,
  retryable: true,
  counted: "update",
  run: async (parameters, context) => {
    const collection = parameters.collection();
    const variables = parameters.document("let");
    const statements = await mapInTurns(parameters.requiredDocuments("updates"), context.signal, (bytes) =>
      statementOf(bytes, variables),
    );
    const ordered = orderedOf(parameters);
    const bypassDocumentValidation = parameters.flag("bypassDocumentValidation");
    parameters.ignore("bypassEmptyTsReplacement");
    const write = withStatements(context.write, statementIdsOf(parameters, statements.length));
    parameters.rejectUnknown();
    requireStatements(statements.length);
    requireOneEach(
      context.write,
      statements.every(({ multi }) => !multi),
      "multi=true",
    );
    const engine = await context.engine();
    const namespace = { database: context.database, collection };
    const result = await engine.update(namespace, statements, ordered, {
      ...write,
      bypassDocumentValidation,
    });
    return [
      ["n", int32Value(result.matchedCount + result.upserted.length)],
      ...(result.upserted.length === 0
        ? []
        : ([["upserted", arrayValue(result.upserted.map(documentValue))]] as const)),
      ["nModified", int32Value(result.modifiedCount)],
      ...writeErrorsField(result.writeErrors),
      ...retriedField(result),
    ];
  },
});

function statementOf(bytes: Uint8Array, variables: Uint8Array | undefined): UpdateStatement {
  const fields = Parameters.within("update.updates", bytes);
  const filter = fields.document("q");
  const sort = fields.document("sort");
  const statement = {
    update: updateOf(fields),
    collation: fields.document("collation"),
    hint: hintOf(fields.get("hint")),
    multi: fields.flag("multi"),
    upsert: fields.flag("upsert"),
    arrayFilters: fields.documents("arrayFilters") ?? [],
    ...(variables === undefined ? {} : { variables }),
    ...(sort === undefined ? {} : { sort }),
  };
  fields.refuse("c", "sampleId");
  fields.rejectUnknown();
  if (filter === undefined)
    throw new EngineError(40_414, "Location40414", "BSON field 'update.updates.q' is missing but a required field");
  return { filter, ...statement };
}

/** An update's document, or its stages. */
export function updateOf(fields: Parameters, name: string = "u"): Uint8Array | readonly Uint8Array[] {
  const value = fields.get(name);
  if (value?.type === bsonType.object) return value.bytes();
  if (value?.type === bsonType.array)
    return elementsOf(value).map((stage) => {
      if (stage.type !== bsonType.object)
        throw new EngineError(14, "TypeMismatch", "Each element of the 'pipeline' array must be an object");
      return stage.bytes();
    });
  throw new EngineError(9, "FailedToParse", "Update argument must be either an object or an array");
}
