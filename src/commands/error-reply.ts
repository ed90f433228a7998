import {
  arrayValue,
  documentValue,
  doubleValue,
  EngineError,
  int32Value,
  stringValue,
  type Value,
} from "../engine/index.ts";
import type { Reply } from "./define-command.ts";

/** The reply of a command that failed, without labels. Errors that are not meant for clients tell them nothing. */
export function errorReply(error: unknown): Reply {
  if (!(error instanceof EngineError))
    return errorReply(new EngineError(1, "InternalError", "an internal error occurred; the server's log says more"));
  const fields: (readonly [string, Value])[] = [
    ["ok", doubleValue(0)],
    ["errmsg", stringValue(error.message)],
    ["code", int32Value(error.code)],
    ["codeName", stringValue(error.codeName)],
  ];
  const details = error as {
    readonly keyPattern?: Uint8Array;
    readonly keyValue?: Uint8Array;
    readonly details?: Uint8Array;
    readonly violations?: Value;
  };
  if (details.keyPattern !== undefined) fields.push(["keyPattern", documentValue(details.keyPattern)]);
  if (details.keyValue !== undefined) fields.push(["keyValue", documentValue(details.keyValue)]);
  if (details.details !== undefined) fields.push(["errInfo", documentValue(details.details)]);
  if (details.violations !== undefined) fields.push(["violations", details.violations]);
  return fields;
}

/** `errorLabels` when there are any. */
export function errorLabelsField(labels: readonly string[]): Reply {
  return labels.length === 0 ? [] : [["errorLabels", arrayValue(labels.map(stringValue))]];
}
