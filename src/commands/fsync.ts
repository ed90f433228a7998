import { int32Value } from "../engine/index.ts";
import { defineCommand } from "./define-command.ts";

/** `fsync`: waits until everything that was written is on the disk. */
export const fsync = defineCommand({
  name: "fsync",
  action: "flush",
  adminOnly: true,
  run: async (parameters, context) => {
    parameters.refuse("lock");
    parameters.ignore("async");
    parameters.rejectUnknown();
    await (await context.engine()).flush();
    return [["numFiles", int32Value(1)]];
  },
});
