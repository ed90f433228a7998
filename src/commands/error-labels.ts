import { fieldsOf, getField, isNumberType, toNumber } from "../engine/index.ts";
import { isRetryable } from "./error-code-names.ts";
import type { Failure } from "./fail-points.ts";

/**
 * Labels of a reply that failed with `code` (driver specifications, "Retryable Writes": RetryableWriteError is for the server to add). A fail point's own labels
 * take the place of all. `watching`: the command is that of a change stream.
 */
export function errorLabelsOf(
  code: number | undefined,
  body: Uint8Array,
  failure: Failure | undefined,
  watching: boolean = false,
): readonly string[] {
  if (failure?.errorLabels !== undefined) return failure.errorLabels;
  if (watching && code !== undefined && resumable.has(code) && failure?.withinCursor !== false)
    return ["ResumableChangeStreamError"];
  if (code === undefined || getField(body, "txnNumber") === undefined) return [];
  if (getField(body, "autocommit") !== undefined && transient.has(code)) return ["TransientTransactionError"];
  if (!isRetryable(code)) return [];
  // A write within a transaction is tried again with the whole of it (driver specifications, "Transactions"); its end is, as any retryable write.
  const within = getField(body, "autocommit") !== undefined && !isEnd(body);
  return [within ? "TransientTransactionError" : "RetryableWriteError"];
}

/** LockTimeout, WriteConflict, SnapshotUnavailable, NoSuchTransaction, PreparedTransactionInProgress: nothing of the transaction went through. */
const transient: ReadonlySet<number> = new Set([24, 112, 246, 251, 267]);

/** What a change stream outlives (driver specifications, "Change Streams": the label is for the server to add). */
const resumable: ReadonlySet<number> = new Set([
  6, 7, 63, 89, 91, 133, 150, 189, 234, 262, 9001, 10_107, 11_600, 11_602, 13_388, 13_435, 13_436,
]);

function isEnd(body: Uint8Array): boolean {
  const first = fieldsOf(body).next();
  return first.done !== true && ["commitTransaction", "abortTransaction"].includes(first.value.name);
}

/** `code` of a write concern error. */
export function codeOf(writeConcernError: Uint8Array): number | undefined {
  const code = getField(writeConcernError, "code");
  return code !== undefined && isNumberType(code.type) ? toNumber(code) : undefined;
}
