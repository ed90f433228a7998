import { buildDocument } from "./bson/builder.ts";
import { writeInt32 } from "./bson/bytes.ts";
import { int32Value, type Value } from "./bson/value.ts";
import { bsonType } from "./bson/types.ts";
import { getField } from "./bson/walk.ts";
import { compilerIn, variablesOf } from "./aggregate/compiler.ts";
import { contextOf } from "./aggregate/context.ts";
import { pipelineCompiler } from "./aggregate/update-pipeline.ts";
import type { CollectionRecord } from "./catalog/catalog.ts";
import { collationFor } from "./catalog/collection-settings.ts";
import { ensureCollection } from "./collections.ts";
import type {
  DeleteResult,
  DeleteStatement,
  InsertResult,
  Namespace,
  UpdateResult,
  UpdateStatement,
  WriteError,
} from "./engine.ts";
import { EngineError, isInterruption } from "./engine-error.ts";
import { storedBatches, type StoredDocument } from "./planner/access.ts";
import { choosePlan } from "./planner/plan.ts";
import { compileFilter, type Filter } from "./query/filter.ts";
import type { Collation } from "./query/collation.ts";
import { createSortOrder, parseSort, type SortKey } from "./query/sort.ts";
import type { Done } from "./retries/statement-history.ts";
import { repeatedUpdate, type Statements } from "./retries/statements.ts";
import { paused, remembered, Work } from "./steps.ts";
import { type CollectionWriter, DuplicateKey, withIdFirst } from "./storage/collection-writer.ts";
import type { Pace } from "./storage/turns.ts";
import { compileUpdate, isReplacement, type Update } from "./update/update.ts";
import { documentFromFilter } from "./update/upsert.ts";
import { DocumentInvalid, validate, type Warn } from "./validation.ts";
import type { WriteTransaction } from "./write-transaction.ts";

export interface WriteContext {
  readonly transaction: WriteTransaction;
  readonly namespace: Namespace;
  readonly pace: Pace;
  readonly nowMs: number;
  /** Whether documents need not be as the collection's rules say. */
  readonly bypassValidation: boolean;
  readonly warn: Warn;
  /** 12 bytes for an `_id` that an upsert must make. */
  readonly newObjectId: () => Uint8Array;
  readonly statements: Statements;
}

/** The error of one statement, to be answered beside what went through; anything that is no engine error, and an interruption, ends the command. */
export function writeError(error: unknown, index: number): WriteError {
  if (!(error instanceof EngineError) || isInterruption(error)) throw error;
  const details =
    error instanceof DuplicateKey
      ? { keyPattern: error.keyPattern, keyValue: error.keyValue }
      : error instanceof DocumentInvalid
        ? { details: error.details }
        : {};
  return { index, code: error.code, message: error.message, ...details };
}

type Hint = string | Uint8Array | undefined;

/** A row to change: the document as it was found, or the number of the row, by which it is read again. */
type Row = StoredDocument | number;

/**
 * Rows that fit now, found before any is changed: a change must not be met again by the same statement. Only their numbers are kept, so that memory hardly grows
 * with what is changed.
 */
async function allMatches(
  context: WriteContext,
  collection: CollectionRecord,
  filter: Filter,
  hint: Hint,
): Promise<readonly Row[]> {
  const record = context.transaction.writerOf(collection).current;
  const found: number[] = [];
  const matches = new Work((document: Uint8Array) => filter.matches(document));
  for (const batch of storedBatches(context.transaction.connection, record, choosePlan(record, filter, [], hint))) {
    for (const { rowId, bytes } of batch) {
      const fits = matches.run(bytes);
      if (fits === paused ? await context.pace.finish(matches, bytes) : fits) found.push(rowId);
    }
    if (context.pace.due) await context.pace.rest();
  }
  return found;
}

/** The first document that fits, by `sort` when one is given; none or one. */
export async function firstMatch(
  context: WriteContext,
  collection: CollectionRecord,
  filter: Filter,
  sort: Uint8Array | undefined,
  hint: Hint,
): Promise<readonly StoredDocument[]> {
  const record = context.transaction.writerOf(collection).current;
  const fields = sort === undefined ? [] : parseSort(sort);
  const plan = choosePlan(record, filter, fields, hint);
  const order = createSortOrder(fields, filter.collation);
  const matches = new Work((document: Uint8Array) => filter.matches(document));
  let best: { readonly stored: StoredDocument; readonly key: SortKey } | undefined;
  for (const batch of storedBatches(context.transaction.connection, record, plan)) {
    for (const stored of batch) {
      const fits = matches.run(stored.bytes);
      if (!(fits === paused ? await context.pace.finish(matches, stored.bytes) : fits)) continue;
      if (plan.sorted) return [stored];
      const key = order.keyOf(stored.bytes);
      if (best === undefined || order.compare(key, best.key) < 0) best = { stored, key };
    }
    if (context.pace.due) await context.pace.rest();
  }
  return best === undefined ? [] : [best.stored];
}

function rowsOf(
  context: WriteContext,
  record: CollectionRecord,
  filter: Filter,
  justOne: boolean,
  sort: Uint8Array | undefined,
  hint: Hint,
): Promise<readonly Row[]> {
  return justOne ? firstMatch(context, record, filter, sort, hint) : allMatches(context, record, filter, hint);
}

function bytesOf(context: WriteContext, record: CollectionRecord, row: Row): Uint8Array | undefined {
  if (typeof row !== "number") return row.bytes;
  return context.transaction.connection.get(`SELECT d FROM c_${record.id} WHERE rid = ?`, row)?.[0] as
    | Uint8Array
    | undefined;
}

const rowIdOf = (row: Row): number => (typeof row === "number" ? row : row.rowId);

/** One statement of an update. Documents changed before a failing one stay changed, as in MongoDB. */
export async function runUpdate(
  context: WriteContext,
  statement: UpdateStatement,
  progress: { matched: number; modified: number },
): Promise<Value | undefined> {
  const record = context.transaction.catalog.find(context.namespace);
  const collation = collationFor(statement.collation, record);
  const filter = await filterOf(context, statement.filter, statement.variables, collation);
  const update = await updateOf(context, statement, collation);
  const whole = isReplacement(statement.update);
  if (statement.multi && statement.sort !== undefined)
    throw new EngineError(9, "FailedToParse", "Cannot specify sort with multi=true");
  if (statement.multi && whole) {
    throw new EngineError(9, "FailedToParse", "multi update is not supported for replacement-style update");
  }
  const rows =
    record === undefined ? [] : await rowsOf(context, record, filter, !statement.multi, statement.sort, statement.hint);
  if (rows.length === 0) {
    if (!statement.upsert) return undefined;
    const id = await upsert(context, statement, filter, update);
    context.statements.wrote({ upserted: idDocument(id) });
    return id;
  }
  const modifiedBefore = progress.modified;
  const writer = context.transaction.writerOf(record as CollectionRecord);
  const change = changeOf(context, record as CollectionRecord, filter, update);
  for (const row of rows) {
    const before = bytesOf(context, record as CollectionRecord, row);
    if (before === undefined) continue;
    progress.matched += 1;
    const made = change.run(before);
    const after = made === paused ? await context.pace.finish(change, before) : made;
    if (after !== before) {
      await context.pace.drain(writer.replacement(rowIdOf(row), before, after, whole));
      progress.modified += 1;
    }
    if (context.pace.due) await context.pace.rest();
  }
  if (progress.modified > modifiedBefore) context.statements.wrote();
  return undefined;
}

/** Statements of an update; stops at the first failure when ordered. */
export async function runUpdates(
  context: WriteContext,
  statements: readonly UpdateStatement[],
  ordered: boolean,
): Promise<UpdateResult> {
  const progress = { matched: 0, modified: 0 };
  const upserted: Uint8Array[] = [];
  const writeErrors = await eachStatement(context, statements, ordered, async (statement, index, done) => {
    const id = done === undefined ? await runUpdate(context, statement, progress) : repeatedUpdate(done, progress);
    if (id !== undefined) upserted.push(upsertedEntry(index, id));
  });
  const { retried } = context.statements;
  return { matchedCount: progress.matched, modifiedCount: progress.modified, upserted, writeErrors, retried };
}

/** Statements of a delete; stops at the first failure when ordered. */
export async function runDeletes(
  context: WriteContext,
  statements: readonly DeleteStatement[],
  ordered: boolean,
): Promise<DeleteResult> {
  let deletedCount = 0;
  const writeErrors = await eachStatement(context, statements, ordered, async (statement, _index, done) => {
    deletedCount += done === undefined ? await runDelete(context, statement) : 1;
  });
  return { deletedCount, writeErrors, retried: context.statements.retried };
}

async function eachStatement<Statement>(
  context: WriteContext,
  statements: readonly Statement[],
  ordered: boolean,
  run: (statement: Statement, index: number, done: Done | undefined) => Promise<void>,
): Promise<WriteError[]> {
  const writeErrors: WriteError[] = [];
  for (const [index, statement] of statements.entries()) {
    const done = context.statements.begin(index);
    try {
      await run(statement, index, done);
    } catch (error) {
      writeErrors.push(writeError(error, index));
      if (ordered) break;
    }
  }
  return writeErrors;
}

async function upsert(
  context: WriteContext,
  statement: { readonly filter: Uint8Array },
  filter: Filter,
  update: Update,
): Promise<Value> {
  const document = await upsertedDocument(context, statement.filter, filter, update);
  await insertOne(context, document);
  return getField(document, "_id") as Value;
}

export async function upsertedDocument(
  context: WriteContext,
  filterBytes: Uint8Array,
  filter: Filter,
  update: Update,
): Promise<Uint8Array> {
  const base = documentFromFilter(filterBytes);
  const run = { filter, moment: { nowMs: context.nowMs }, inserting: true };
  const made = await context.pace.finish(new Work((document: Uint8Array) => update(document, run)), base);
  return withId(made, context);
}

/** One statement of a delete; answers how many went. */
export async function runDelete(context: WriteContext, statement: DeleteStatement): Promise<number> {
  const record = context.transaction.catalog.find(context.namespace);
  const filter = await filterOf(
    context,
    statement.filter,
    statement.variables,
    collationFor(statement.collation, record),
  );
  if (record === undefined) return 0;
  const rows = await rowsOf(context, record, filter, statement.justOne, undefined, statement.hint);
  const writer = context.transaction.writerOf(record);
  for (const row of rows) {
    const bytes = bytesOf(context, record, row);
    if (bytes !== undefined) await context.pace.drain(writer.removal(rowIdOf(row), bytes));
    if (context.pace.due) await context.pace.rest();
  }
  if (rows.length > 0) context.statements.wrote();
  return rows.length;
}

export async function insertOne(context: WriteContext, document: Uint8Array): Promise<void> {
  const record = ensureCollection(context.transaction, context.namespace);
  await context.pace.finish(new Work(() => accept(context, record, undefined, document)), undefined);
  await context.pace.drain(context.transaction.writerOf(record).insertion(document));
}

/** What an update makes of a document, when the collection's rules allow that. */
export function changeOf(
  context: WriteContext,
  record: CollectionRecord,
  filter: Filter,
  update: Update,
): Work<Uint8Array, Uint8Array> {
  const run = { filter, moment: { nowMs: context.nowMs }, inserting: false };
  return new Work((before) => {
    const after = remembered(() => update(before, run));
    if (after !== before) accept(context, record, before, after);
    return after;
  });
}

/** Throws 121 for a document that the collection's rules do not allow. */
function accept(
  context: WriteContext,
  record: CollectionRecord,
  before: Uint8Array | undefined,
  document: Uint8Array,
): void {
  if (!context.bypassValidation) validate(record, before, document, context.warn);
}

/** Where documents are inserted, and whether its rules allow them. */
interface InsertTarget {
  readonly writer: CollectionWriter;
  readonly acceptance: Work<Uint8Array, void>;
}

function insertTarget(context: WriteContext): InsertTarget {
  const record = ensureCollection(context.transaction, context.namespace);
  const acceptance = new Work((document: Uint8Array) => accept(context, record, undefined, document));
  return { writer: context.transaction.writerOf(record), acceptance };
}

/** Inserts each document; answers how many went in. Stops at the first failure when ordered. `firstStatement` is the number of the first within the command. */
export async function runInsert(
  context: WriteContext,
  documents: readonly Uint8Array[],
  ordered: boolean,
  firstStatement: number = 0,
): Promise<InsertResult> {
  let target: InsertTarget | undefined;
  const writeErrors: WriteError[] = [];
  let insertedCount = 0;
  for (const [index, document] of documents.entries()) {
    if (context.statements.begin(firstStatement + index) !== undefined) {
      insertedCount += 1;
      continue;
    }
    target ??= insertTarget(context);
    try {
      const whole = withId(document, context);
      const accepted = target.acceptance.run(whole);
      if (accepted === paused) await context.pace.finish(target.acceptance, whole);
      const writing = context.pace.drain(target.writer.insertion(whole));
      if (writing !== undefined) await writing;
      context.statements.wrote();
      insertedCount += 1;
    } catch (error) {
      writeErrors.push(writeError(error, firstStatement + index));
      if (ordered) break;
    }
    if (context.pace.due) await context.pace.rest();
  }
  return { insertedCount, writeErrors, retried: context.statements.retried };
}

/** The type ObjectId and the name `_id`. */
const idHead = Buffer.from([bsonType.objectId, ...Buffer.from("_id\0")]);

function withId(document: Uint8Array, context: WriteContext): Uint8Array {
  if (getField(document, "_id") !== undefined) return withIdFirst(document);
  const field = Buffer.concat([idHead, context.newObjectId()]);
  const made = new Uint8Array(document.length + field.length);
  writeInt32(made, 0, made.length);
  made.set(field, 4);
  made.set(document.subarray(4), 4 + field.length);
  return made;
}

export function idDocument(id: Value): Uint8Array {
  return buildDocument([["_id", id]]);
}

/** `{index, _id}` as an update's reply shows an upsert. */
function upsertedEntry(index: number, id: Value): Uint8Array {
  return buildDocument([
    ["index", int32Value(index)],
    ["_id", id],
  ]);
}

/** Values under `let` are computed here, and lists in a query may be long. */
export function filterOf(
  context: WriteContext,
  bytes: Uint8Array,
  variables: Uint8Array | undefined,
  collation: Collation | undefined,
): Promise<Filter> {
  const compile = new Work(() => {
    const compileExpression = compilerIn(contextOf(variablesOf(variables, context), collation));
    return compileFilter(bytes, { compileExpression, variables, collation });
  });
  return context.pace.finish(compile, undefined);
}

export function updateOf(
  context: WriteContext,
  { update, arrayFilters, variables }: Pick<UpdateStatement, "update" | "arrayFilters" | "variables">,
  collation: Collation | undefined,
): Promise<Update> {
  const compile = new Work(() => {
    const compilePipeline = pipelineCompiler(variablesOf(variables, context), collation);
    return compileUpdate(update, { arrayFilters, compilePipeline, collation });
  });
  return context.pace.finish(compile, undefined);
}
