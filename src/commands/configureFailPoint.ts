import { bsonType, EngineError, int32Value, textOf } from "../engine/index.ts";
import { defineCommand } from "./define-command.ts";

/** `configureFailPoint` (driver specifications, "Fail Points"): has commands fail as a test wants it. There only where the server was started for tests. */
export const configureFailPoint = defineCommand({
  name: "configureFailPoint",
  action: "any",
  adminOnly: true,
  testOnly: true,
  run: async (parameters, { server }) => {
    if (parameters.main.type !== bsonType.string)
      throw new EngineError(14, "TypeMismatch", "the name of a fail point must be a string");
    const mode = parameters.get("mode");
    const data = parameters.document("data");
    parameters.rejectUnknown();
    const count = server.failPoints?.configure(textOf(parameters.main), mode, data) ?? 0;
    return [["count", int32Value(count)]];
  },
});
