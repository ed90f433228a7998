import { STATUS_CODES } from "node:http";
import { AppError, type ErrorKind } from "../shared/app-error.ts";

/** The only place that gives failures their HTTP status. */
const statusOf = {
  invalid: 400,
  unauthenticated: 401,
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  not_acceptable: 406,
  conflict: 409,
  gone: 410,
  too_large: 413,
  too_many_requests: 429,
  not_implemented: 501,
  unavailable: 503,
} as const satisfies Record<ErrorKind, number>;

/** A failure as the wire carries it. */
export interface ErrorAnswer {
  readonly status: number;
  readonly errorCode: string;
  /** Compact JSON, keys in alphabetical order. */
  readonly body: string;
}

/** The answer for anything that was thrown; what is no `AppError` becomes a 500 that tells nothing. */
export function errorAnswer(error: unknown): ErrorAnswer {
  if (error instanceof AppError) return answer(statusOf[error.kind], error.code, error.message, error.parameters);
  const status = clientErrorStatus(error);
  if (status === undefined) return answer(500, "UNEXPECTED_ERROR", "Unexpected error.", []);
  return frameworkAnswer(status, (error as { code?: string }).code ?? "");
}

/** A body of the API's error shape. */
export function answer(
  status: number,
  errorCode: string,
  detail: string,
  parameters: readonly (string | number)[],
): ErrorAnswer {
  const body = JSON.stringify({ detail, error: status, errorCode, parameters, reason: STATUS_CODES[status] ?? "" });
  return { status, errorCode, body };
}

/** The challenge's body: pretty printed, keys unsorted, as recorded since August 2026. */
export const unauthenticatedBody = `{
  "error" : 401,
  "reason" : "Unauthorized",
  "detail" : "You are not authorized for this resource.",
  "errorCode" : "UNEXPECTED_ERROR"
}`;

/** Failures that the HTTP framework found before any handler: their status when it is the client's doing. */
function clientErrorStatus(error: unknown): number | undefined {
  const status = (error as { statusCode?: unknown } | undefined)?.statusCode;
  return typeof status === "number" && status >= 400 && status < 500 ? status : undefined;
}

function frameworkAnswer(status: number, code: string): ErrorAnswer {
  if (status === 413) return answer(413, "REQUEST_TOO_LARGE", "The request body is too large.", []);
  if (status === 414) return answer(414, "URI_TOO_LONG", "The request URL is too long.", []);
  if (status === 415)
    return answer(415, "UNSUPPORTED_MEDIA_TYPE", "The content type of the request body is not supported.", []);
  if (code === "FST_ERR_BAD_URL" || code === "FST_ERR_MAX_PARAM_LENGTH")
    return answer(400, "INVALID_PATH_PARAMETER", "Invalid path parameter specified.", []);
  return answer(400, "MALFORMED_JSON", "Received JSON is malformed.", []);
}
