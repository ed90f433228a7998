import { arrayValue, boolValue, int32Value, objectValue, stringValue } from "../engine/index.ts";
import { defineCommand } from "./define-command.ts";

/** `buildInfo`: the version that is spoken, and that it is not MongoDB's own build. */
function create(name: string): ReturnType<typeof defineCommand> {
  return defineCommand({
    name,
    action: "open",
    run: async (_parameters, { server }) => [
      ["version", stringValue(server.serverVersion)],
      ["gitVersion", stringValue("telamon")],
      ["modules", arrayValue([])],
      ["allocator", stringValue("system")],
      ["javascriptEngine", stringValue("none")],
      ["sysInfo", stringValue("deprecated")],
      [
        "versionArray",
        arrayValue([...server.serverVersion.split(".").map((part) => int32Value(Number(part))), int32Value(0)]),
      ],
      ["openssl", objectValue([["running", stringValue("none")]])],
      ["bits", int32Value(64)],
      ["debug", boolValue(false)],
      ["maxBsonObjectSize", int32Value(16 * 1024 * 1024)],
      ["storageEngines", arrayValue([stringValue("telamon")])],
    ],
  });
}

export const buildInfo = create("buildInfo");
export const buildinfo = create("buildinfo");
