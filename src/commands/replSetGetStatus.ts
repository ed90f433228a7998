import {
  arrayValue,
  boolValue,
  dateValue,
  doubleValue,
  int32Value,
  int64Value,
  objectValue,
  stringValue,
  timestampValue,
} from "../engine/index.ts";
import { defineCommand } from "./define-command.ts";

/** `replSetGetStatus`: the one member, its primary. */
export const replSetGetStatus = defineCommand({
  name: "replSetGetStatus",
  action: "monitor",
  adminOnly: true,
  run: async (parameters, context) => {
    parameters.ignore("initialSync");
    parameters.rejectUnknown();
    const { server } = context;
    const engine = await context.engine();
    const nowMs = server.clock.nowMs();
    const { seconds, increment } = engine.clusterTime();
    const opTime = objectValue([
      ["ts", timestampValue(seconds, increment)],
      ["t", int64Value(1n)],
    ]);
    const member = objectValue([
      ["_id", int32Value(0)],
      ["name", stringValue(context.connection.address)],
      ["health", doubleValue(1)],
      ["state", int32Value(1)],
      ["stateStr", stringValue("PRIMARY")],
      ["uptime", int32Value(Math.floor((nowMs - server.startedMs) / 1000))],
      ["optime", opTime],
      ["optimeDate", dateValue(BigInt(seconds) * 1000n)],
      ["configVersion", int32Value(1)],
      ["self", boolValue(true)],
    ]);
    return [
      ["set", stringValue(server.replicaSetName)],
      ["date", dateValue(BigInt(nowMs))],
      ["myState", int32Value(1)],
      ["term", int64Value(1n)],
      ["heartbeatIntervalMillis", int64Value(2000n)],
      [
        "optimes",
        objectValue([
          ["lastCommittedOpTime", opTime],
          ["appliedOpTime", opTime],
          ["durableOpTime", opTime],
        ]),
      ],
      ["members", arrayValue([member])],
    ];
  },
});
