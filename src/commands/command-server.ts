import {
  bsonType,
  buildDocument,
  type Engine,
  EngineError,
  fieldsOf,
  getField,
  int32Value,
  int64Of,
  isNumberType,
  type ReadOptions,
  stringValue,
  textOf,
  timestampValue,
  toNumber,
  arrayValue,
  Value,
  type WriteOptions,
  objectValue,
  int64Value,
  doubleValue,
  documentValue,
} from "../engine/index.ts";
import type { Log } from "../ports/log.ts";
import { CursorRegistry } from "./cursor-registry.ts";
import type { CommandContext, CommandDefinition, ConnectionState, Reply, ServerFacts } from "./define-command.ts";
import { commandNamed } from "./index.ts";
import { Parameters } from "./parameters.ts";
import { isAllowed, unauthorized } from "./privileges.ts";
import { unsupportedCommand } from "./unsupported.ts";

export interface CommandServerOptions extends Omit<ServerFacts, "startedMs" | "unknownUserKey"> {
  /** Gives the deployment's engine, opening it when it is not open. */
  readonly openEngine: () => Promise<Engine>;
  readonly log: Log;
}

/** A command as a door hands it over. */
export interface CommandRequest {
  readonly body: Uint8Array;
  readonly sequences: ReadonlyMap<string, readonly Uint8Array[]>;
  /** Of a legacy request; others name it in `$db`. */
  readonly database: string | undefined;
}

/** One client's commands. */
export interface CommandConnection {
  /** The reply document. Never throws. */
  run(request: CommandRequest, signal: AbortSignal): Promise<Uint8Array>;
  authenticated(): boolean;
  close(): void;
}

export interface CommandServer {
  connect(id: number, remoteAddress: string): CommandConnection;
  close(): void;
}

/** Runs commands for the clients of one deployment. */
export function createCommandServer(options: CommandServerOptions): CommandServer {
  const server: ServerFacts = {
    ...options,
    startedMs: options.clock.nowMs(),
    unknownUserKey: options.ids.randomBytes(32),
  };
  const cursors = new CursorRegistry(options.clock, options.ids);
  return {
    connect(id, remoteAddress) {
      const connection: ConnectionState = {
        id,
        remoteAddress,
        user: undefined,
        conversation: undefined,
        failedLogins: 0,
      };
      return {
        run: (request, signal) => run(server, connection, cursors, options, request, signal),
        authenticated: () => connection.user !== undefined,
        close: () => undefined,
      };
    },
    close: () => cursors.closeAll(),
  };
}

async function run(
  server: ServerFacts,
  connection: ConnectionState,
  cursors: CursorRegistry,
  options: CommandServerOptions,
  request: CommandRequest,
  connectionSignal: AbortSignal,
): Promise<Uint8Array> {
  let engine: Engine | undefined;
  const time = new TimeLimit();
  try {
    const first = fieldsOf(request.body).next();
    const name = first.done === true ? "" : first.value.name;
    const database = databaseOf(request);
    const definition = commandNamed(name);
    if (definition === undefined) throw unsupportedCommand(name);
    const parameters = new Parameters(name, request.body, request.sequences);
    authorize(definition, connection, database, parameters);
    const signal = time.start(request.body, name, connectionSignal);
    const openEngine = async (): Promise<Engine> => (engine ??= await options.openEngine());
    const context = contextOf(server, connection, cursors, database, request.body, signal, openEngine);
    const reply = await definition.run(parameters, context);
    return finished([...reply, ["ok", doubleOne]], engine);
  } catch (error) {
    return finished(failure(error, connectionSignal, options.log), engine);
  } finally {
    time.stop();
  }
}

const doubleOne = doubleValue(1);

/** `maxTimeMS` and the connection's end as one signal. */
class TimeLimit {
  #timer: ReturnType<typeof setTimeout> | undefined;

  start(body: Uint8Array, command: string, connectionSignal: AbortSignal): AbortSignal {
    const value = getField(body, "maxTimeMS");
    // A getMore's time is that of waiting for more, which only tailable cursors do.
    const limitMs =
      value !== undefined && isNumberType(value.type) && command !== "getMore" && command !== "hello"
        ? toNumber(value)
        : 0;
    if (Number.isNaN(limitMs) || limitMs < 0 || limitMs > 2_147_483_647)
      throw new EngineError(2, "BadValue", `maxTimeMS is out of range: ${limitMs}`);
    if (limitMs === 0) return connectionSignal;
    const controller = new AbortController();
    this.#timer = setTimeout(
      () => controller.abort(new EngineError(50, "MaxTimeMSExpired", "operation exceeded time limit")),
      limitMs,
    );
    return AbortSignal.any([controller.signal, connectionSignal]);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}

function databaseOf({ body, database }: CommandRequest): string {
  if (database !== undefined) return database;
  const value = getField(body, "$db");
  if (value?.type !== bsonType.string)
    throw new EngineError(40_571, "Location40571", "OP_MSG requests require a $db argument");
  return textOf(value);
}

function authorize(
  definition: CommandDefinition,
  connection: ConnectionState,
  database: string,
  parameters: Parameters,
): void {
  if (definition.action === "open") return;
  if (connection.user === undefined)
    throw new EngineError(13, "Unauthorized", `Command ${definition.name} requires authentication`);
  if (definition.action === "any") return;
  const { main } = parameters;
  const collection = definition.onCollection === true && main.type === bsonType.string ? textOf(main) : undefined;
  if (!isAllowed(connection.user.credential, definition.action, database, collection))
    throw unauthorized(definition.name, database);
}

function contextOf(
  server: ServerFacts,
  connection: ConnectionState,
  cursors: CursorRegistry,
  database: string,
  body: Uint8Array,
  signal: AbortSignal,
  engine: () => Promise<Engine>,
): CommandContext {
  refuseTransactions(body);
  const lsid = getField(body, "lsid");
  const sessionId = lsid?.type === bsonType.object ? lsid.bytes().slice() : undefined;
  return {
    server,
    connection,
    cursors,
    database,
    signal,
    sessionId,
    engine,
    read: (opened) => readOptions(body, signal, opened),
    write: writeOptions(body, signal, sessionId),
  };
}

/** Answered as a server without transactions would: drivers know the error and tell their callers. */
function refuseTransactions(body: Uint8Array): void {
  if (getField(body, "startTransaction") === undefined && getField(body, "autocommit") === undefined) return;
  throw new EngineError(
    263,
    "OperationNotSupportedInTransaction",
    "multi-document transactions are not supported by this server",
  );
}

async function readOptions(body: Uint8Array, signal: AbortSignal, engine: Engine): Promise<ReadOptions> {
  const concern = getField(body, "readConcern");
  const fields = new Map(
    concern?.type === bsonType.object ? Array.from(fieldsOf(concern.bytes()), ({ name, value }) => [name, value]) : [],
  );
  const levelValue = fields.get("level");
  const level = levelValue?.type === bsonType.string ? textOf(levelValue) : "local";
  if (!["local", "available", "majority", "linearizable", "snapshot"].includes(level))
    throw new EngineError(2, "BadValue", `readConcern level '${level}' is not known`);
  const at = fields.get("atClusterTime");
  if (at !== undefined && (level !== "snapshot" || at.type !== bsonType.timestamp))
    throw new EngineError(72, "InvalidOptions", "atClusterTime needs readConcern level snapshot and a timestamp");
  if (level !== "snapshot") return { signal };
  if (at === undefined) return { signal, atClusterTime: await engine.beginSnapshot() };
  const bits = BigInt.asUintN(64, int64Of(at));
  return { signal, atClusterTime: { seconds: Number(bits >> 32n), increment: Number(bits & 0xffff_ffffn) } };
}

function writeOptions(body: Uint8Array, signal: AbortSignal, sessionId: Uint8Array | undefined): WriteOptions {
  const concern = getField(body, "writeConcern");
  const fields = new Map(
    concern?.type === bsonType.object ? Array.from(fieldsOf(concern.bytes()), ({ name, value }) => [name, value]) : [],
  );
  const journal = fields.get("j");
  const w = fields.get("w");
  if (w !== undefined && isNumberType(w.type) && toNumber(w) > 1)
    throw new EngineError(100, "UnsatisfiableWriteConcern", "Not enough data-bearing nodes");
  if (w?.type === bsonType.string && textOf(w) !== "majority")
    throw new EngineError(
      79,
      "UnknownReplWriteConcern",
      `No write concern mode named '${textOf(w)}' found in replica set configuration`,
    );
  // Only who says so gets an answer before the disk has it: `w: 0`, or `w: 1` with `j: false`.
  const relaxed =
    w !== undefined &&
    isNumberType(w.type) &&
    (toNumber(w) === 0 || (journal?.type === bsonType.bool && journal.bytes()[0] === 0));
  const number = getField(body, "txnNumber");
  const retry =
    number?.type === bsonType.long && sessionId !== undefined
      ? { sessionId, transactionNumber: int64Of(number) }
      : undefined;
  return { signal, durable: !relaxed, ...(retry === undefined ? {} : { retry }) };
}

function failure(error: unknown, connectionSignal: AbortSignal, log: Log): Reply {
  if (!(error instanceof EngineError)) {
    if (!connectionSignal.aborted) log.error({ err: error }, "a database command failed");
    return failureFields(new EngineError(1, "InternalError", "an internal error occurred; the server's log says more"));
  }
  return failureFields(error);
}

function failureFields(error: EngineError): Reply {
  const fields: (readonly [string, Value])[] = [
    ["ok", doubleValue(0)],
    ["errmsg", stringValue(error.message)],
    ["code", int32Value(error.code)],
    ["codeName", stringValue(error.codeName)],
  ];
  const details = error as { keyPattern?: Uint8Array; keyValue?: Uint8Array };
  if (details.keyPattern !== undefined) fields.push(["keyPattern", documentValue(details.keyPattern)]);
  if (details.keyValue !== undefined) fields.push(["keyValue", documentValue(details.keyValue)]);
  if (error.labels.length > 0) fields.push(["errorLabels", arrayValue(error.labels.map(stringValue))]);
  return fields;
}

/** Adds the times that sessions carry from reply to request. */
function finished(fields: Reply, engine: Engine | undefined): Uint8Array {
  if (engine === undefined) return buildDocument(fields);
  const { seconds, increment } = engine.clusterTime();
  if (seconds === 0) return buildDocument(fields);
  const time = timestampValue(seconds, increment);
  const noSignature = objectValue([
    ["hash", new Value(bsonType.binData, Uint8Array.of(20, 0, 0, 0, 0, ...new Uint8Array(20)))],
    ["keyId", int64Value(0n)],
  ]);
  const clusterTime = objectValue([
    ["clusterTime", time],
    ["signature", noSignature],
  ]);
  return buildDocument([...fields, ["$clusterTime", clusterTime], ["operationTime", time]]);
}
