import { doubleValue, dateValue, int32Value, objectValue, stringValue } from "../engine/index.ts";
import { defineCommand } from "./define-command.ts";

/** `serverStatus`: what is known and true, which is little. */
export const serverStatus = defineCommand({
  name: "serverStatus",
  action: "monitor",
  run: async (_parameters, { server, cursors }) => {
    const nowMs = server.clock.nowMs();
    const memory = process.memoryUsage();
    return [
      ["host", stringValue(server.address)],
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
      ["storageEngine", objectValue([["name", stringValue("telamon")]])],
    ];
  },
});
