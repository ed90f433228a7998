import {
  arrayValue,
  documentValue,
  EngineError,
  int32Value,
  isTruthy,
  objectValue,
  stringValue,
  type Value,
  type WriteError,
  type WriteOptions,
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
