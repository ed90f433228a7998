import { availableParallelism, hostname, platform, release, totalmem } from "node:os";
import { dateValue, int32Value, objectValue, stringValue } from "../engine/index.ts";
import { defineCommand } from "./define-command.ts";

/** `hostInfo`. */
export const hostInfo = defineCommand({
  name: "hostInfo",
  action: "monitor",
  adminOnly: true,
  run: async (_parameters, { server }) => [
    [
      "system",
      objectValue([
        ["currentTime", dateValue(BigInt(server.clock.nowMs()))],
        ["hostname", stringValue(hostname())],
        ["cpuAddrSize", int32Value(64)],
        ["memSizeMB", int32Value(Math.floor(totalmem() / 1_048_576))],
        ["numCores", int32Value(availableParallelism())],
      ]),
    ],
    [
      "os",
      objectValue([
        ["type", stringValue(platform())],
        ["name", stringValue(platform())],
        ["version", stringValue(release())],
      ]),
    ],
    ["extra", objectValue([])],
  ],
});
