import { EngineError, located } from "./engine-error.ts";
import { arrayValue, buildDocument, emptyDocument, objectValue } from "./bson/builder.ts";
import { parsePath, valueAtPath } from "./bson/path.ts";
import { bsonType } from "./bson/types.ts";
import { documentValue, nullValue, stringValue, type Value } from "./bson/value.ts";
import { fieldsOfValue } from "./bson/walk.ts";
import { compileExpression } from "./aggregate/expression.ts";
import { contextOf } from "./aggregate/context.ts";
import { stageField } from "./aggregate/pipeline.ts";
import { type MergeTarget, mergeTarget } from "./aggregate/stages/merge.ts";
import { outTarget } from "./aggregate/stages/out.ts";
import { ensureCollection } from "./collections.ts";
import type { Namespace, WriteError } from "./engine.ts";
import type { Flow } from "./query/flow.ts";
import { DuplicateKey } from "./storage/collection-writer.ts";
import type { Pace } from "./storage/turns.ts";
import { runDelete, runInsert, runUpdate, type WriteContext } from "./write-commands.ts";

/** Where a pipeline writes its results. */
export type PipelineTarget =
  | { readonly stage: "$out"; readonly namespace: Namespace }
  | ({ readonly stage: "$merge" } & MergeTarget);

/** The target of a pipeline that ends in `$out` or `$merge`. */
export function pipelineTarget(pipeline: readonly Uint8Array[], database: string): PipelineTarget | undefined {
  const last = pipeline.at(-1);
  if (last === undefined) return undefined;
  const { name, value } = stageField(last);
  if (name === "$out") return { stage: "$out", namespace: outTarget(value, database) };
  if (name === "$merge") return { stage: "$merge", ...mergeTarget(value, database) };
  return undefined;
}

/** Documents written at once. */
const batchSize = 500;
const batchMaxBytes = 4 * 1024 * 1024;

/** Writes all results in one transaction: all of them or none. What is read is the state before. */
export async function writeResults(context: WriteContext, target: PipelineTarget, flow: Flow): Promise<void> {
  if (target.stage === "$out") {
    ensureCollection(context.transaction, target.namespace);
    await runDelete(context, { filter: emptyDocument, justOne: false });
    for await (const documents of batches(flow, context.pace)) await insertAll(context, documents);
    return;
  }
  refuseUnclearMatch(context, target);
  for await (const documents of batches(flow, context.pace))
    for (const document of documents) await mergeDocument(context, target, document);
}

async function* batches(flow: Flow, pace: Pace): AsyncGenerator<readonly Uint8Array[]> {
  let documents: Uint8Array[] = [];
  let bytes = 0;
  for (const document of flow) {
    if (pace.due) await pace.rest();
    if (document === undefined) continue;
    documents.push(document);
    bytes += document.length;
    if (documents.length < batchSize && bytes < batchMaxBytes) continue;
    yield documents;
    documents = [];
    bytes = 0;
  }
  if (documents.length > 0) yield documents;
}

async function insertAll(context: WriteContext, documents: readonly Uint8Array[]): Promise<void> {
  const { writeErrors } = await runInsert(context, documents, true);
  const [error] = writeErrors;
  if (error !== undefined) throw asEngineError(error);
}

const codeNames: Readonly<Record<number, string>> = { 121: "DocumentValidationFailure", 11_000: "DuplicateKey" };

function asEngineError({ code, message, keyPattern, keyValue }: WriteError): EngineError {
  if (keyPattern !== undefined && keyValue !== undefined) return new DuplicateKey(message, keyPattern, keyValue);
  return new EngineError(code, codeNames[code] ?? `Location${code}`, message);
}

/** Throws 51183 unless a unique index has exactly the fields that documents are matched by. */
function refuseUnclearMatch({ transaction }: WriteContext, { namespace, on }: MergeTarget): void {
  if (on === undefined || (on.length === 1 && on[0] === "_id")) return;
  const indexes = transaction.catalog.find(namespace)?.indexes ?? [];
  const wanted = new Set(on);
  const found = indexes.some(
    (index) =>
      index.unique &&
      !index.sparse &&
      index.collation === undefined &&
      index.fields.length === wanted.size &&
      index.fields.every(({ path }) => wanted.has(path.text)),
  );
  if (!found) throw located(51_183, "Cannot find index to verify that join fields will be unique");
}

async function mergeDocument(context: WriteContext, target: MergeTarget, document: Uint8Array): Promise<void> {
  const { whenMatched, whenNotMatched } = target;
  if (whenMatched === "fail") return insertAll(context, [document]);
  const filter = matchOf(target, document);
  // A document without an `_id` is a new one.
  if (filter !== undefined) {
    const progress = { matched: 0, modified: 0 };
    await runUpdate(
      context,
      { filter, multi: false, upsert: false, arrayFilters: [], ...changeOf(target, document) },
      progress,
    );
    if (progress.matched > 0) return;
  }
  if (whenNotMatched === "fail")
    throw new EngineError(
      13_113,
      "MergeStageNoMatchingDocument",
      "$merge could not find a matching document in the target collection for at least one document in the source collection",
    );
  if (whenNotMatched === "insert") await insertAll(context, [document]);
}

function matchOf({ on = ["_id"] }: MergeTarget, document: Uint8Array): Uint8Array | undefined {
  const conditions: [string, Value][] = [];
  for (const field of on) {
    const value = valueAtPath(document, parsePath(field));
    if (field === "_id" && value === undefined) return undefined;
    if (value === undefined || value.type === bsonType.null || value.type === bsonType.array)
      throw located(51_132, `$merge write error: 'on' field '${field}' cannot be missing, null, undefined or an array`);
    conditions.push([field, objectValue([["$eq", value]])]);
  }
  return buildDocument(conditions);
}

const newOverOld = objectValue([["$mergeObjects", arrayValue([stringValue("$$ROOT"), stringValue("$$new")])]]);
const mergeStage = buildDocument([["$replaceWith", newOverOld]]);

/** The update of a document that was matched. */
function changeOf(
  { whenMatched, variables }: MergeTarget,
  document: Uint8Array,
): { readonly update: Uint8Array | readonly Uint8Array[]; readonly variables?: Uint8Array } {
  if (whenMatched === "replace") return { update: document };
  if (whenMatched === "keepExisting") return { update: buildDocument([["$setOnInsert", documentValue(document)]]) };
  const isPipeline = typeof whenMatched !== "string";
  const root = documentValue(document);
  const own =
    variables === undefined
      ? [["new", root] as const]
      : Array.from(
          fieldsOfValue(variables),
          ({ name, value }) => [name, compileExpression(value, contextOf(new Map()))(root) ?? nullValue] as const,
        );
  // Values of variables are what they are, also when they look like expressions.
  const literals = own.map(([name, value]) => [name, objectValue([["$literal", value]])] as const);
  return { update: isPipeline ? whenMatched : [mergeStage], variables: buildDocument(literals) };
}
