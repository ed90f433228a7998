import {
  arrayValue,
  boolValue,
  bsonType,
  dateValue,
  EngineError,
  int32Value,
  int64Value,
  objectValue,
  stringValue,
  timestampValue,
  type Value,
  Value as BsonValue,
} from "../engine/index.ts";
import { defineCommand, type CommandContext, type CommandDefinition, type Reply } from "./define-command.ts";
import type { Parameters } from "./parameters.ts";
import { startLogin } from "./saslStart.ts";
import { statementsMax } from "./write-reply.ts";

/** Newest wire version whose features are all answered for: that of MongoDB 7.0. `bulkWrite` would come with 25. */
const wireVersionMax = 21;

/** `hello` and its older spellings: one node of a replica set, and its primary. */
function create(name: string): CommandDefinition {
  return defineCommand({
    name,
    action: "open",
    run: async (parameters, context) => {
      const speculative = parameters.document("speculativeAuthenticate");
      const wanted = parameters.text("saslSupportedMechs");
      parameters.ignore(
        "helloOk",
        "client",
        "compression",
        "loadBalanced",
        "backpressure",
        "hostInfo",
        "internalClient",
        "forShell",
      );
      refuseStreaming(parameters);
      parameters.rejectUnknown();
      return [
        ...(await role(name, context)),
        ...(wanted === undefined
          ? []
          : ([["saslSupportedMechs", arrayValue([stringValue("SCRAM-SHA-256")])]] as const)),
        ...(speculative === undefined ? [] : await speculated(speculative, context)),
      ];
    },
  });
}

/** No `topologyVersion` is told, so that drivers ask again instead of waiting; who asks to wait all the same is refused. */
function refuseStreaming(parameters: Parameters): void {
  parameters.ignore("maxAwaitTimeMS");
  if (parameters.get("topologyVersion") !== undefined)
    throw new EngineError(238, "NotImplemented", "an awaited hello is not supported by this server");
}

async function role(name: string, { server, connection }: CommandContext): Promise<Reply> {
  const nowMs = server.clock.nowMs();
  const primary = name === "hello" ? "isWritablePrimary" : "ismaster";
  const opTime = objectValue([
    ["ts", timestampValue(Math.floor(nowMs / 1000), 1)],
    ["t", int64Value(1n)],
  ]);
  const fields: [string, Value][] = [
    ["helloOk", boolValue(true)],
    [primary, boolValue(true)],
    ["hosts", arrayValue([stringValue(server.address)])],
    ["setName", stringValue(server.replicaSetName)],
    ["setVersion", int32Value(1)],
    ["secondary", boolValue(false)],
    ["primary", stringValue(server.address)],
    ["me", stringValue(server.address)],
    ["electionId", new BsonValue(bsonType.objectId, Uint8Array.of(0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 1))],
    [
      "lastWrite",
      objectValue([
        ["opTime", opTime],
        ["lastWriteDate", dateValue(BigInt(nowMs))],
        ["majorityOpTime", opTime],
        ["majorityWriteDate", dateValue(BigInt(nowMs))],
      ]),
    ],
    ["maxBsonObjectSize", int32Value(16 * 1024 * 1024)],
    ["maxMessageSizeBytes", int32Value(48_000_000)],
    ["maxWriteBatchSize", int32Value(statementsMax)],
    ["localTime", dateValue(BigInt(nowMs))],
    ["logicalSessionTimeoutMinutes", int32Value(30)],
    ["connectionId", int32Value(connection.id)],
    ["minWireVersion", int32Value(0)],
    ["maxWireVersion", int32Value(wireVersionMax)],
    ["readOnly", boolValue(false)],
  ];
  return fields;
}

/** A login begun with the handshake; one that cannot be begun is left out, and the driver begins anew. */
async function speculated(body: Uint8Array, context: CommandContext): Promise<Reply> {
  try {
    return [["speculativeAuthenticate", objectValue(await startLogin(body, context))]];
  } catch (error) {
    if (error instanceof EngineError) return [];
    throw error;
  }
}

export const hello = create("hello");
export const isMaster = create("isMaster");
export const ismaster = create("ismaster");
