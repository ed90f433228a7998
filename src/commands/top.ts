import { int64Value, objectValue, stringValue, type Value } from "../engine/index.ts";
import { defineCommand, type OperationKind } from "./define-command.ts";
import type { NamespaceUse } from "./operation-registry.ts";

/** MongoDB's names of what is counted, in its order. */
const names: readonly (readonly [string, readonly OperationKind[]])[] = [
  ["total", ["insert", "query", "update", "delete", "getmore", "command"]],
  ["readLock", ["query", "getmore"]],
  ["writeLock", ["insert", "update", "delete"]],
  ["queries", ["query"]],
  ["getmore", ["getmore"]],
  ["insert", ["insert"]],
  ["update", ["update"]],
  ["remove", ["delete"]],
  ["commands", ["command"]],
];

/** `top`: how often each collection was used since the start, and for how long (microseconds). */
export const top = defineCommand({
  name: "top",
  action: "monitor",
  adminOnly: true,
  run: async (parameters, { server }) => {
    parameters.rejectUnknown();
    const uses = [...server.operations.uses()].map(([namespace, use]) => [namespace, described(use)] as const);
    return [["totals", objectValue([["note", stringValue("all times in microseconds")], ...uses])]];
  },
});

function described({ counts, timesMicros }: NamespaceUse): Value {
  const sum = (of: Record<OperationKind, number>, kinds: readonly OperationKind[]): Value =>
    int64Value(BigInt(kinds.reduce((total, kind) => total + of[kind], 0)));
  return objectValue(
    names.map(([name, kinds]) => [
      name,
      objectValue([
        ["time", sum(timesMicros, kinds)],
        ["count", sum(counts, kinds)],
      ]),
    ]),
  );
}
