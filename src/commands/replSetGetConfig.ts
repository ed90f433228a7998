import {
  arrayValue,
  boolValue,
  doubleValue,
  int32Value,
  int64Value,
  objectValue,
  stringValue,
} from "../engine/index.ts";
import { defineCommand } from "./define-command.ts";

/** `replSetGetConfig`: the one member. */
export const replSetGetConfig = defineCommand({
  name: "replSetGetConfig",
  action: "monitor",
  adminOnly: true,
  run: async (parameters, { server, connection }) => {
    parameters.ignore("commitmentStatus");
    parameters.rejectUnknown();
    const member = objectValue([
      ["_id", int32Value(0)],
      ["host", stringValue(connection.address)],
      ["arbiterOnly", boolValue(false)],
      ["buildIndexes", boolValue(true)],
      ["hidden", boolValue(false)],
      ["priority", doubleValue(1)],
      ["tags", objectValue([])],
      ["secondaryDelaySecs", int64Value(0n)],
      ["votes", int32Value(1)],
    ]);
    return [
      [
        "config",
        objectValue([
          ["_id", stringValue(server.replicaSetName)],
          ["version", int32Value(1)],
          ["term", int32Value(1)],
          ["members", arrayValue([member])],
          ["protocolVersion", int64Value(1n)],
          ["writeConcernMajorityJournalDefault", boolValue(true)],
        ]),
      ],
    ];
  },
});
