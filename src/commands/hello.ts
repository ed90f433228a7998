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
import { commonCompressors } from "./compression.ts";
import { defineCommand, type CommandContext, type CommandDefinition, type Reply } from "./define-command.ts";
import type { Parameters } from "./parameters.ts";
import { topologyVersionOf } from "./topology-version.ts";
import { startLogin } from "./saslStart.ts";
import { statementsMax } from "./write-reply.ts";

/** Newest wire version whose features are all answered for: that of MongoDB 8.0. */
const wireVersionMax = 25;
/** Longest time that may be waited for a change. */
const awaitMaxMs = 3_600_000;

/** `hello` and its older spellings: one node of a replica set, and its primary. */
function create(name: string): CommandDefinition {
  return defineCommand({
    name,
    action: "open",
    streams: true,
    run: async (parameters, context) => {
      const speculative = parameters.document("speculativeAuthenticate");
      const wanted = parameters.text("saslSupportedMechs");
      parameters.ignore("helloOk", "client", "loadBalanced", "backpressure", "hostInfo", "internalClient", "forShell");
      const compression = parameters.get("compression");
      const awaited = awaitedOf(parameters);
      parameters.rejectUnknown();
      if (awaited !== undefined && (context.continued || isNow(awaited.topologyVersion, context)))
        await context.server.clock.sleep(awaited.timeMs, context.signal);
      if (compression !== undefined) context.connection.compressors = commonCompressors(compression);
      return [
        ...(await role(name, context)),
        ...(compression === undefined ? [] : compressionField(context)),
        ...(wanted === undefined
          ? []
          : ([["saslSupportedMechs", arrayValue([stringValue("SCRAM-SHA-256")])]] as const)),
        ...(speculative === undefined ? [] : await speculated(speculative, context)),
      ];
    },
  });
}

/** `topologyVersion` and `maxAwaitTimeMS`, which only come together. Throws 51368, 2, 14. */
function awaitedOf(
  parameters: Parameters,
): { readonly topologyVersion: Uint8Array; readonly timeMs: number } | undefined {
  const topologyVersion = parameters.document("topologyVersion");
  const timeMs = parameters.whole("maxAwaitTimeMS", 0);
  if (topologyVersion === undefined && timeMs === undefined) return undefined;
  if (topologyVersion === undefined || timeMs === undefined)
    throw new EngineError(
      51_368,
      "Location51368",
      "A request with a 'topologyVersion' must include 'maxAwaitTimeMS', and the other way round",
    );
  if (timeMs > awaitMaxMs) throw new EngineError(2, "BadValue", `maxAwaitTimeMS must not be above ${awaitMaxMs}`);
  return { topologyVersion, timeMs };
}

function isNow(topologyVersion: Uint8Array, context: CommandContext): boolean {
  return Buffer.compare(topologyVersion, topologyVersionOf(context.server).bytes()) === 0;
}

async function role(name: string, context: CommandContext): Promise<Reply> {
  const { server, connection } = context;
  const nowMs = server.clock.nowMs();
  const primary = name === "hello" ? "isWritablePrimary" : "ismaster";
  const { lastWrite } = server.figures;
  const lastWriteDate = dateValue(BigInt(lastWrite.seconds) * 1000n);
  const opTime = objectValue([
    ["ts", timestampValue(lastWrite.seconds, lastWrite.increment)],
    ["t", int64Value(1n)],
  ]);
  const fields: [string, Value][] = [
    ["helloOk", boolValue(true)],
    [primary, boolValue(true)],
    ["hosts", arrayValue([stringValue(connection.address)])],
    ["setName", stringValue(server.replicaSetName)],
    ["setVersion", int32Value(1)],
    ["secondary", boolValue(false)],
    ["primary", stringValue(connection.address)],
    ["me", stringValue(connection.address)],
    ["electionId", new BsonValue(bsonType.objectId, Uint8Array.of(0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 1))],
    ["topologyVersion", topologyVersionOf(server)],
    [
      "lastWrite",
      objectValue([
        ["opTime", opTime],
        ["lastWriteDate", lastWriteDate],
        ["majorityOpTime", opTime],
        ["majorityWriteDate", lastWriteDate],
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

/** What was agreed on; left out when it is nothing. */
function compressionField({ connection }: CommandContext): Reply {
  if (connection.compressors.length === 0) return [];
  return [["compression", arrayValue(connection.compressors.map(stringValue))]];
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
