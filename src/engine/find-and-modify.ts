import { compilerIn, variablesOf } from "./aggregate/compiler.ts";
import { contextOf } from "./aggregate/context.ts";
import { getField } from "./bson/walk.ts";
import type { Value } from "./bson/value.ts";
import { collationFor } from "./catalog/collection-settings.ts";
import type { FindAndModifyQuery, FindAndModifyResult, RetriedStatements } from "./engine.ts";
import { located } from "./engine-error.ts";
import { compileProjection } from "./query/projection.ts";
import { isReplacement } from "./update/update.ts";
import {
  changeOf,
  filterOf,
  firstMatch,
  idDocument,
  insertOne,
  updateOf,
  upsertedDocument,
  type WriteContext,
} from "./write-commands.ts";

/** One command of one statement; what it did before it answers again. */
export async function runFindAndModify(
  context: WriteContext,
  query: FindAndModifyQuery,
): Promise<FindAndModifyResult & RetriedStatements> {
  const done = context.statements.begin(0);
  const { retried } = context.statements;
  if (done === undefined) {
    const { result, wrote } = await findAndModify(context, query);
    if (wrote) context.statements.wrote({ result });
    return { ...result, retried };
  }
  if (done.result === undefined)
    throw located(40_606, "findAndModify retry request is not compatible with previous write in the transaction");
  return { ...done.result, retried };
}

async function findAndModify(
  context: WriteContext,
  query: FindAndModifyQuery,
): Promise<{ readonly result: FindAndModifyResult; readonly wrote: boolean }> {
  const record = context.transaction.catalog.find(context.namespace);
  const collation = collationFor(query.collation, record);
  const filter = await filterOf(context, query.filter, query.variables, collation);
  const update =
    query.update === undefined ? undefined : await updateOf(context, { ...query, update: query.update }, collation);
  const project =
    query.projection === undefined
      ? (document: Uint8Array) => document
      : compileProjection(query.projection, {
          find: true,
          filter,
          compileExpression: compilerIn(contextOf(variablesOf(query.variables, context), collation)),
        });
  const [stored] = record === undefined ? [] : await firstMatch(context, record, filter, query.sort, query.hint);
  if (stored === undefined || record === undefined) {
    if (update === undefined || !query.upsert)
      return { result: { value: undefined, updatedExisting: false }, wrote: false };
    const document = await upsertedDocument(context, query.filter, filter, update);
    await insertOne(context, document);
    const upserted = idDocument(getField(document, "_id") as Value);
    const value = query.returnNew ? project(document) : undefined;
    return { result: { value, updatedExisting: false, upserted }, wrote: true };
  }
  const writer = context.transaction.writerOf(record);
  if (update === undefined) {
    await context.pace.drain(writer.removal(stored.rowId, stored.bytes));
    return { result: { value: project(stored.bytes), updatedExisting: false }, wrote: true };
  }
  const whole = query.update !== undefined && isReplacement(query.update);
  const after = await context.pace.finish(changeOf(context, record, filter, update), stored.bytes);
  if (after !== stored.bytes) await context.pace.drain(writer.replacement(stored.rowId, stored.bytes, after, whole));
  const value = project(query.returnNew ? after : stored.bytes);
  return { result: { value, updatedExisting: true }, wrote: after !== stored.bytes };
}
