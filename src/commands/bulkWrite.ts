import {
  type BulkOperation,
  type BulkResult,
  buildDocument,
  documentValue,
  doubleValue,
  EngineError,
  fieldsOf,
  int32Value,
  type Namespace,
  stringValue,
  type Value,
  wholeNumberOf,
} from "../engine/index.ts";
import { cursorOptionsOf, listBatch } from "./cursor-reply.ts";
import { type CommandContext, defineCommand, type Reply } from "./define-command.ts";
import { hintOf } from "./hint.ts";
import { mapInTurns } from "./in-turns.ts";
import { namespaceNamed } from "./namespace.ts";
import { Parameters } from "./parameters.ts";
import { isAllowed } from "./privileges.ts";
import { updateOf } from "./update.ts";
import {
  orderedOf,
  requireOneEach,
  requireStatements,
  retriedField,
  statementIdsOf,
  withStatements,
} from "./write-reply.ts";

const cursorNamespace = "admin.$cmd.bulkWrite";

/** `bulkWrite` (manual, "bulkWrite (database command)", MongoDB 8.0): writes to several collections, all in one transaction of the engine. */
export const bulkWrite = defineCommand({
  name: "bulkWrite",
  action: "any",
  adminOnly: true,
  retryable: true,
  takesWriteConcern: true,
  run: async (parameters, context) => {
    const variables = parameters.document("let");
    const namespaces = parameters.requiredDocuments("nsInfo").map(namespaceOf);
    const operations = await mapInTurns(parameters.requiredDocuments("ops"), context.signal, (bytes, index) =>
      operationOf(bytes, index, namespaces, variables),
    );
    const ordered = orderedOf(parameters);
    const errorsOnly = parameters.flag("errorsOnly");
    const bypassDocumentValidation = parameters.flag("bypassDocumentValidation");
    const { batchSize } = cursorOptionsOf(parameters) ?? { batchSize: undefined };
    parameters.ignore("bypassEmptyTsReplacement");
    const write = withStatements(context.write, statementIdsOf(parameters, operations.length));
    parameters.rejectUnknown();
    requireStatements(operations.length);
    for (const namespace of namespaces) requireAllowed(namespace, context);
    requireOneEach(context.write, operations.every(changesOne), "multi=true");
    const engine = await context.engine();
    const done = await engine.bulkWrite(operations, ordered, { ...write, bypassDocumentValidation });
    const { results } = done;
    const shown = results.filter(({ error }) => !errorsOnly || error !== undefined).map(shownResult);
    return [
      ...(await listBatch(shown, cursorNamespace, batchSize, context)),
      ...totals(operations, results),
      ...retriedField(done),
    ];
  },
});

function namespaceOf(bytes: Uint8Array): Namespace {
  const fields = Parameters.within("bulkWrite.nsInfo", bytes);
  const name = fields.requiredText("ns");
  fields.refuse("collectionUUID", "encryptionInformation");
  fields.rejectUnknown();
  return namespaceNamed(name, "Invalid namespace specified for bulkWrite");
}

function requireAllowed({ database, collection }: Namespace, { connection }: CommandContext): void {
  if (connection.user !== undefined && isAllowed(connection.user.credential, "write", database, collection)) return;
  throw new EngineError(13, "Unauthorized", `not authorized on ${database} to execute command bulkWrite`);
}

function changesOne(operation: BulkOperation): boolean {
  if (operation.kind === "insert") return true;
  return operation.kind === "update" ? !operation.statement.multi : operation.statement.justOne;
}

const kinds = ["insert", "update", "delete"] as const;

/** One entry of `ops`: its first field says what it does, and in which of the namespaces. */
function operationOf(
  bytes: Uint8Array,
  index: number,
  namespaces: readonly Namespace[],
  variables: Uint8Array | undefined,
): BulkOperation {
  const first = fieldsOf(bytes).next();
  const name = first.done === true ? "" : first.value.name;
  const kind = kinds.find((known) => known === name);
  if (kind === undefined)
    throw new EngineError(
      40_415,
      "Location40415",
      `BSON field 'bulkWrite.ops.${name}' is an unknown field: an operation is an insert, update or delete`,
    );
  const fields = new Parameters(kind, bytes, new Map());
  const namespace = namespaces[wholeNumberOf(fields.main) ?? -1];
  if (namespace === undefined)
    throw new EngineError(2, "BadValue", `BulkWrite ops entry ${index} has an invalid nsInfo index.`);
  const operation = readOperation(kind, namespace, fields, variables);
  fields.rejectUnknown();
  return operation;
}

function readOperation(
  kind: (typeof kinds)[number],
  namespace: Namespace,
  fields: Parameters,
  variables: Uint8Array | undefined,
): BulkOperation {
  if (kind === "insert") return { kind, namespace, document: requiredDocument(fields, "document") };
  const common = {
    filter: requiredDocument(fields, "filter"),
    collation: fields.document("collation"),
    hint: hintOf(fields.get("hint")),
    ...(variables === undefined ? {} : { variables }),
  };
  const multi = fields.flag("multi");
  if (kind === "delete") return { kind, namespace, statement: { ...common, justOne: !multi } };
  fields.refuse("constants");
  const sort = fields.document("sort");
  const statement = {
    ...common,
    update: updateOf(fields, "updateMods"),
    multi,
    upsert: fields.flag("upsert"),
    arrayFilters: fields.documents("arrayFilters") ?? [],
    ...(sort === undefined ? {} : { sort }),
  };
  return { kind, namespace, statement };
}

function requiredDocument(fields: Parameters, name: string): Uint8Array {
  const document = fields.document(name);
  if (document !== undefined) return document;
  throw new EngineError(40_414, "Location40414", `BSON field 'bulkWrite.ops.${name}' is missing but a required field`);
}

/** A document of the reply's cursor. */
function shownResult({ index, count, modifiedCount, upserted, error }: BulkResult): Uint8Array {
  const fields: [string, Value][] = [
    ["ok", doubleValue(error === undefined ? 1 : 0)],
    ["idx", int32Value(index)],
  ];
  if (error !== undefined) {
    fields.push(["code", int32Value(error.code)], ["errmsg", stringValue(error.message)]);
    if (error.keyPattern !== undefined) fields.push(["keyPattern", documentValue(error.keyPattern)]);
    if (error.keyValue !== undefined) fields.push(["keyValue", documentValue(error.keyValue)]);
    if (error.details !== undefined) fields.push(["errInfo", documentValue(error.details)]);
  }
  fields.push(["n", int32Value(count + (upserted === undefined ? 0 : 1))]);
  if (modifiedCount !== undefined) fields.push(["nModified", int32Value(modifiedCount)]);
  if (upserted !== undefined) fields.push(["upserted", documentValue(upserted)]);
  return buildDocument(fields);
}

function totals(operations: readonly BulkOperation[], results: readonly BulkResult[]): Reply {
  const sums = { nErrors: 0, nInserted: 0, nMatched: 0, nModified: 0, nUpserted: 0, nDeleted: 0 };
  const counted = { insert: "nInserted", update: "nMatched", delete: "nDeleted" } as const;
  for (const { index, count, modifiedCount, upserted, error } of results) {
    if (error !== undefined) sums.nErrors += 1;
    sums[counted[(operations[index] as BulkOperation).kind]] += count;
    sums.nModified += modifiedCount ?? 0;
    if (upserted !== undefined) sums.nUpserted += 1;
  }
  return Object.entries(sums).map(([name, sum]) => [name, int32Value(sum)] as const);
}
