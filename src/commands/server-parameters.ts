import {
  arrayValue,
  boolValue,
  int32Value,
  int64Value,
  objectValue,
  stringValue,
  type Value,
} from "../engine/index.ts";
import type { ServerFacts } from "./define-command.ts";

/** Parameters of MongoDB that clients ask for, each as it is here; none can be changed while the server runs. */
export function serverParameters({ serverVersion, failPoints }: ServerFacts): ReadonlyMap<string, Value> {
  return new Map([
    ["acceptApiVersion2", boolValue(false)],
    ["authenticationMechanisms", arrayValue([stringValue("SCRAM-SHA-256")])],
    ["cursorTimeoutMillis", int64Value(600_000n)],
    ["enableTestCommands", boolValue(failPoints !== undefined)],
    [
      "featureCompatibilityVersion",
      objectValue([["version", stringValue(serverVersion.split(".").slice(0, 2).join("."))]]),
    ],
    ["localLogicalSessionTimeoutMinutes", int32Value(30)],
    ["requireApiVersion", boolValue(false)],
  ]);
}
