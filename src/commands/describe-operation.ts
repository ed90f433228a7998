import {
  arrayValue,
  boolValue,
  buildDocument,
  documentValue,
  int32Value,
  int64Value,
  getField,
  objectValue,
  stringValue,
  type Value,
} from "../engine/index.ts";
import type { CommandContext } from "./define-command.ts";
import type { RunningOperation } from "./operation-registry.ts";
import { isAllowed } from "./privileges.ts";

/** Longest command that is shown whole. */
const shownCommandMaxBytes = 1024;

/** `op` of an operation, by its kind. */
const shownKinds: Readonly<Record<RunningOperation["kind"], string>> = {
  insert: "insert",
  query: "query",
  update: "update",
  delete: "remove",
  getmore: "getmore",
  command: "command",
};

/** Every operation that runs and that the user may see, each as `currentOp` shows it. Users without the privilege see their own. */
export function describeOperations(context: CommandContext, ownOnly: boolean): readonly Uint8Array[] {
  const { server, connection } = context;
  return server.operations
    .running()
    .filter((operation) => (ownOnly ? isOwn(context, operation) : true))
    .map((operation) => {
      const user = operation.connection.user;
      const micros = server.operations.microsOf(operation);
      return buildDocument([
        ["type", stringValue("op")],
        ["host", stringValue(connection.address)],
        ["desc", stringValue(`conn${operation.connection.id}`)],
        ["connectionId", int32Value(operation.connection.id)],
        ["client", stringValue(`${operation.connection.remoteHost}:${operation.connection.remotePort}`)],
        ["active", boolValue(true)],
        ["currentOpTime", stringValue(new Date(operation.startedMs).toISOString())],
        ["effectiveUsers", arrayValue(user === undefined ? [] : [userValue(user.name, user.database)])],
        ["opid", int32Value(operation.id)],
        ["secs_running", int64Value(BigInt(Math.floor(micros / 1_000_000)))],
        ["microsecs_running", int64Value(BigInt(micros))],
        ["op", stringValue(shownKinds[operation.kind])],
        ["ns", stringValue(`${operation.database}.${operation.collection ?? "$cmd"}`)],
        ["command", shownCommand(operation)],
        ...(operation.sessionId === undefined ? [] : ([["lsid", operation.sessionId]] as const)),
        ["killPending", boolValue(operation.controller.signal.aborted)],
      ]);
    });
}

/** Whether the user may see and stop what others do. */
export function mayActOnOthers({ connection }: CommandContext, action: "monitor" | "killOperation"): boolean {
  return connection.user !== undefined && isAllowed(connection.user.credential, action, "admin", undefined);
}

/** Whether an operation is the user's own. */
export function isOwn({ connection }: CommandContext, operation: RunningOperation): boolean {
  const { user } = operation.connection;
  return user !== undefined && user.name === connection.user?.name && user.database === connection.user.database;
}

function userValue(name: string, database: string): Value {
  return objectValue([
    ["user", stringValue(name)],
    ["db", stringValue(database)],
  ]);
}

/** What was sent, without what a login carries; of a long one its comment, by which it is found (manual, "db.currentOp()"). */
function shownCommand({ command, body }: RunningOperation): Value {
  if (command.startsWith("sasl")) return objectValue([[command, int32Value(1)]]);
  if (body.length <= shownCommandMaxBytes) return documentValue(body);
  const comment = getField(body, "comment");
  return objectValue([
    ["$truncated", stringValue(`${command}, ${body.length} bytes`)],
    ...(comment === undefined || comment.end - comment.start > shownCommandMaxBytes
      ? []
      : [["comment", comment] as const]),
  ]);
}
