import { dateValue, int32Value, objectValue, stringValue } from "../engine/index.ts";
import { defineCommand } from "./define-command.ts";

/** `getDefaultRWConcern`: MongoDB's own defaults, which nobody can change here. */
export const getDefaultRWConcern = defineCommand({
  name: "getDefaultRWConcern",
  action: "monitor",
  adminOnly: true,
  run: async (parameters, { server }) => {
    parameters.ignore("inMemory");
    parameters.rejectUnknown();
    return [
      ["defaultReadConcern", objectValue([["level", stringValue("local")]])],
      [
        "defaultWriteConcern",
        objectValue([
          ["w", stringValue("majority")],
          ["wtimeout", int32Value(0)],
        ]),
      ],
      ["defaultWriteConcernSource", stringValue("implicit")],
      ["defaultReadConcernSource", stringValue("implicit")],
      ["localUpdateWallClockTime", dateValue(BigInt(server.clock.nowMs()))],
    ];
  },
});
