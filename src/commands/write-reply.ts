import {
  arrayValue,
  bsonType,
  documentValue,
  elementsOf,
  EngineError,
  int32Value,
  isTruthy,
  objectValue,
  type RetriedStatements,
  stringValue,
  type Value,
  type WriteError,
  type WriteOptions,
  wholeNumberOf,
} from "../engine/index.ts";
import type { Reply } from "./define-command.ts";
import type { Parameters } from "./parameters.ts";

/** Statements or documents of one command (`maxWriteBatchSize`). */
export const statementsMax = 100_000;

/** `ordered`, true unless said otherwise. */
export function orderedOf(parameters: Parameters): boolean {
  const value = parameters.get("ordered");
  return value === undefined || isTruthy(value);
}

/** `writeErrors` when there are any. */
export function writeErrorsField(errors: readonly WriteError[]): Reply {
  if (errors.length === 0) return [];
  return [["writeErrors", arrayValue(errors.map(shown))]];
}

function shown(error: WriteError): Value {
  const fields: [string, Value][] = [
    ["index", int32Value(error.index)],
    ["code", int32Value(error.code)],
  ];
  if (error.keyPattern !== undefined) fields.push(["keyPattern", documentValue(error.keyPattern)]);
  if (error.keyValue !== undefined) fields.push(["keyValue", documentValue(error.keyValue)]);
  if (error.details !== undefined) fields.push(["errInfo", documentValue(error.details)]);
  fields.push(["errmsg", stringValue(error.message)]);
  return objectValue(fields);
}

/** Ids of a command's statements, as `stmtIds` or `stmtId` of the first say. Throws 72 for both, and 16 for another number of ids than of statements. */
export function statementIdsOf(parameters: Parameters, count: number): readonly number[] | undefined {
  const list = parameters.get("stmtIds");
  const first = parameters.whole("stmtId", 0);
  if (list === undefined) return first === undefined ? undefined : idsFrom(first, count);
  if (first !== undefined)
    throw new EngineError(72, "InvalidOptions", "May not specify both stmtId and stmtIds in write command");
  const ids = list.type === bsonType.array ? elementsOf(list).map(wholeNumberOf) : [];
  if (ids.length !== count)
    throw new EngineError(
      16,
      "InvalidLength",
      `Number of statement ids must match the number of batch entries. Got ${ids.length} statement ids but ${count} batch entries.`,
    );
  return ids.map((id) => {
    if (id !== undefined && id >= 0 && id <= statementIdMax) return id;
    throw new EngineError(2, "BadValue", `a statement id must be a whole number from 0 to ${statementIdMax}`);
  });
}

const statementIdMax = 2_147_483_647;

/** Ids one after the other. Throws 2 for one that is too large. */
export function idsFrom(first: number, count: number): readonly number[] {
  if (first + count - 1 > statementIdMax)
    throw new EngineError(2, "BadValue", `a statement id must not be larger than ${statementIdMax}`);
  return Array.from({ length: count }, (_, at) => first + at);
}

/** How a command writes, with the ids of its statements. */
export function withStatements(write: WriteOptions, statementIds: readonly number[] | undefined): WriteOptions {
  return write.retry === undefined ? write : { ...write, retry: { ...write.retry, statementIds } };
}

/** `retriedStmtIds` when a retry found statements done. */
export function retriedField({ retried }: RetriedStatements): Reply {
  return retried.length === 0 ? [] : [["retriedStmtIds", arrayValue(retried.map(int32Value))]];
}

export function requireStatements(count: number): void {
  if (count === 0 || count > statementsMax)
    throw new EngineError(
      16,
      "InvalidLength",
      `Write batch sizes must be between 1 and ${statementsMax}. Got ${count} operations.`,
    );
}

/** Throws 72 for a retryable write that may change many documents: it could not be told from its retry. */
export function requireOneEach(write: WriteOptions, oneEach: boolean, what: string): void {
  if (write.retry !== undefined && !oneEach)
    throw new EngineError(72, "InvalidOptions", `Cannot use (or request) retryable writes with ${what}`);
}
