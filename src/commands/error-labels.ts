import { getField, isNumberType, toNumber } from "../engine/index.ts";
import { isRetryable } from "./error-code-names.ts";
import type { Failure } from "./fail-points.ts";

/**
 * Labels of a reply that failed with `code` (driver specifications, "Retryable Writes": RetryableWriteError is for the server to add). A fail point's own labels
 * take the place of all.
 */
export function errorLabelsOf(
  code: number | undefined,
  body: Uint8Array,
  failure: Failure | undefined,
): readonly string[] {
  if (failure?.errorLabels !== undefined) return failure.errorLabels;
  if (code === undefined || !isRetryable(code)) return [];
  const retryableWrite = getField(body, "txnNumber") !== undefined && getField(body, "autocommit") === undefined;
  return retryableWrite ? ["RetryableWriteError"] : [];
}

/** `code` of a write concern error. */
export function codeOf(writeConcernError: Uint8Array): number | undefined {
  const code = getField(writeConcernError, "code");
  return code !== undefined && isNumberType(code.type) ? toNumber(code) : undefined;
}
