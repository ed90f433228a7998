import { bsonType, int32Value, objectValue, Value } from "../engine/index.ts";
import { defineCommand } from "./define-command.ts";
import { hexOf } from "./end-matching.ts";

/** `startSession`: an id; any other that a client makes up would do as well. */
export const startSession = defineCommand({
  name: "startSession",
  action: "any",
  run: async (parameters, { server, sessionKey }) => {
    parameters.rejectUnknown();
    const uuid = Buffer.from(server.ids.uuid().replaceAll("-", ""), "hex");
    const lsid = objectValue([["id", new Value(bsonType.binData, Uint8Array.of(16, 0, 0, 0, 4, ...uuid))]]);
    server.sessions.use(hexOf(sessionKey(lsid)));
    return [
      ["id", lsid],
      ["timeoutMinutes", int32Value(30)],
    ];
  },
});
