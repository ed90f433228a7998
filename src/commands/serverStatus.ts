import {
  boolValue,
  doubleValue,
  dateValue,
  int32Value,
  int64Value,
  objectValue,
  stringValue,
} from "../engine/index.ts";
import { defineCommand } from "./define-command.ts";

/** `serverStatus`: what is known and true, which is little. */
export const serverStatus = defineCommand({
  name: "serverStatus",
  action: "monitor",
  // Sections are switched on and off by name; there are few, and all are given.
  run: async (_parameters, { server, connection, cursors }) => {
    const nowMs = server.clock.nowMs();
    const memory = process.memoryUsage();
    return [
      ["host", stringValue(connection.address)],
      ["version", stringValue(server.serverVersion)],
      ["process", stringValue("telamon")],
      ["pid", int32Value(process.pid)],
      ["uptime", doubleValue(Math.floor((nowMs - server.startedMs) / 1000))],
      ["localTime", dateValue(BigInt(nowMs))],
      [
        "mem",
        objectValue([
          ["bits", int32Value(64)],
          ["resident", int32Value(Math.floor(memory.rss / 1_048_576))],
        ]),
      ],
      [
        "metrics",
        objectValue([["cursor", objectValue([["open", objectValue([["total", int32Value(cursors.size)]])]])]]),
      ],
      [
        "connections",
        objectValue([
          ["current", int32Value(server.figures.connectionsCurrent)],
          ["totalCreated", int64Value(BigInt(server.figures.connectionsCreated))],
        ]),
      ],
      [
        "opcounters",
        objectValue(
          Object.entries(server.figures.operations).map(([name, count]) => [name, int64Value(BigInt(count))] as const),
        ),
      ],
      [
        "repl",
        objectValue([
          ["setName", stringValue(server.replicaSetName)],
          ["isWritablePrimary", boolValue(true)],
          ["me", stringValue(connection.address)],
        ]),
      ],
      ["storageEngine", objectValue([["name", stringValue("telamon")]])],
    ];
  },
});
