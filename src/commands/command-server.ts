import {
  bsonType,
  DamagedFile,
  documentValue,
  doubleValue,
  type Engine,
  EngineError,
  fieldsOf,
  getField,
  int64Of,
  int64Value,
  objectValue,
  textOf,
  timestampValue,
  Value,
} from "../engine/index.ts";
import type { Log } from "../ports/log.ts";
import { checkApiVersion } from "./api-version.ts";
import type { Compressor } from "./compression.ts";
import { CursorRegistry } from "./cursor-registry.ts";
import type {
  Client,
  CommandContext,
  CommandDefinition,
  ConnectionState,
  Reply,
  ServerFacts,
} from "./define-command.ts";
import { isWatching } from "./change-stream-rules.ts";
import { codeOf, errorLabelsOf } from "./error-labels.ts";
import { hexOf } from "./end-matching.ts";
import { errorLabelsField, errorReply } from "./error-reply.ts";
import { applicationNameOf, FailPoints, type Failure, suffer } from "./fail-points.ts";
import { commandNamed, commands } from "./index.ts";
import { LoginGuard } from "./login-guard.ts";
import { OperationRegistry, type RunningOperation } from "./operation-registry.ts";
import { Parameters } from "./parameters.ts";
import { recheckUser } from "./recheck-user.ts";
import { isAllowed, unauthorized } from "./privileges.ts";
import { readOptionsOf } from "./read-concern.ts";
import { databaseOf, retryKeyOf, sessionIdOf, sessionKeyOf } from "./session-fields.ts";
import { SessionRegistry } from "./session-registry.ts";
import { topologyVersionField } from "./topology-version.ts";
import { type CommandTransaction, transactionFieldsOf } from "./transaction-fields.ts";
import { enter } from "./enter-transaction.ts";
import { type Prepared, prepare } from "./prepare-command.ts";
import { TimeLimit } from "./time-limit.ts";
import { unsupportedCommand } from "./unsupported.ts";
import { type WriteConcern, writeConcernErrorField, writeConcernOf } from "./write-concern.ts";

export interface CommandServerOptions extends Pick<
  ServerFacts,
  "deploymentId" | "replicaSetName" | "serverVersion" | "directory" | "systemUser" | "clock" | "ids"
> {
  /** Gives the deployment's engine, opening it when it is not open. */
  readonly openEngine: () => Promise<Engine>;
  /** Takes orders for faults and has the commands that MongoDB has for tests alone. */
  readonly testCommands?: boolean;
  readonly log: Log;
}

/** A command as a door hands it over. */
export interface CommandRequest {
  readonly body: Uint8Array;
  readonly sequences: ReadonlyMap<string, readonly Uint8Array[]>;
  /** Of a legacy request; others name it in `$db`. */
  readonly database: string | undefined;
  readonly legacy: boolean;
  /** What the door found against it; its documents must not be read then. */
  readonly refusal: EngineError | undefined;
  /** The client takes several answers. */
  readonly exhaustAllowed: boolean;
  /** Whether it was answered before, and this is for a further answer. */
  readonly continued: boolean;
}

export interface CommandAnswer {
  /** Fields of the reply document. */
  /** Undefined: the connection ends without an answer. */
  readonly fields: Reply | undefined;
  /** The same request is to be run again for a further answer. */
  readonly moreToCome: boolean;
  /** The connection is to be ended after this answer. */
  readonly hangUp: boolean;
}

/** One client's commands. */
export interface CommandConnection {
  /** Never throws. */
  run(request: CommandRequest, signal: AbortSignal): Promise<CommandAnswer>;
  authenticated(): boolean;
  /** How messages of either side may be compressed, as the handshake agreed. */
  compressors(): readonly Compressor[];
  /** The client is another than it seemed: it came by way of somebody else. To be said before anything is run. */
  introduce(client: Omit<Client, "id">): void;
  close(): void;
}

export interface CommandServer {
  connect(client: Client): CommandConnection;
  /** Closes cursors that nobody asked for a while. */
  closeIdleCursors(): void;
  /** Closes every cursor. */
  close(): void;
}

/** Runs commands for the clients of one deployment. */
export function createCommandServer(options: CommandServerOptions): CommandServer {
  const { clock, ids } = options;
  const server: ServerFacts = {
    deploymentId: options.deploymentId,
    replicaSetName: options.replicaSetName,
    serverVersion: options.serverVersion,
    directory: options.directory,
    systemUser: options.systemUser,
    clock,
    ids,
    startedMs: clock.nowMs(),
    unknownUserKey: ids.randomBytes(32),
    processId: ids.randomBytes(12),
    logins: new LoginGuard(clock),
    sessions: new SessionRegistry(clock),
    transactionSessions: new Set(),
    figures: {
      connectionsCurrent: 0,
      connectionsCreated: 0,
      operations: { insert: 0, query: 0, update: 0, delete: 0, getmore: 0, command: 0 },
      lastWrite: { seconds: Math.floor(clock.nowMs() / 1000), increment: 1 },
      newestTime: undefined,
    },
    operations: new OperationRegistry(clock),
    failPoints: options.testCommands === true ? new FailPoints() : undefined,
  };
  const cursors = new CursorRegistry(clock, ids);
  return {
    connect(client) {
      server.figures.connectionsCurrent += 1;
      server.figures.connectionsCreated += 1;
      const connection: ConnectionState = {
        ...client,
        user: undefined,
        applicationName: undefined,
        conversation: undefined,
        failedLogins: 0,
        compressors: [],
        hangUp: false,
        operation: undefined,
      };
      let connectionSignal: AbortSignal | undefined;
      return {
        run: (request, signal) => {
          // One listener for all commands of the connection: one for each would cost more than a small command.
          if (connectionSignal !== signal)
            signal.addEventListener("abort", () => connection.operation?.controller.abort(signal.reason), {
              once: true,
            });
          connectionSignal = signal;
          return run({ server, connection, cursors, options, request, connectionSignal: signal });
        },
        authenticated: () => connection.user !== undefined,
        compressors: () => connection.compressors,
        introduce: (actual) => void Object.assign(connection, actual),
        close: () => {
          server.figures.connectionsCurrent -= 1;
        },
      };
    },
    closeIdleCursors: () => cursors.closeIdle(),
    close: () => cursors.closeAll(),
  };
}

interface Running {
  readonly server: ServerFacts;
  readonly connection: ConnectionState;
  readonly cursors: CursorRegistry;
  readonly options: CommandServerOptions;
  readonly request: CommandRequest;
  readonly connectionSignal: AbortSignal;
}

async function run(running: Running): Promise<CommandAnswer> {
  const { server, connection, options, request, connectionSignal } = running;
  const time = new TimeLimit();
  let engine: Engine | undefined;
  let operation: RunningOperation | undefined;
  let failure: Failure | undefined;
  let transaction: CommandTransaction | undefined;
  const openEngine = async (): Promise<Engine> => (engine ??= await options.openEngine());
  try {
    const definition = definitionOf(request, server);
    const database = databaseOf(request.body, request.database);
    const parameters = new Parameters(definition.name, request.body, request.sequences);
    await recheckUser(server, connection);
    authorize(definition, connection, database, parameters);
    checkApiVersion(definition.name, request.body);
    if (definition.streams === true) connection.applicationName ??= applicationNameOf(request.body);
    const sessionId = sessionIdOf(request.body, connection.user);
    if (sessionId !== undefined && connection.user !== undefined) server.sessions.use(hexOf(sessionId));
    const fields = transactionFieldsOf(definition, database, request.body, sessionId);
    const concern = writeConcernOf(definition, request.body);
    operation = server.operations.begin({
      connection,
      command: definition.name,
      kind: definition.counted ?? "command",
      database,
      collection: collectionOf(definition, parameters),
      body: request.body,
      sessionId: getField(request.body, "lsid"),
    });
    const { controller } = operation;
    connection.operation = operation;
    if (connectionSignal.aborted) controller.abort(connectionSignal.reason);
    // A getMore's time is that of waiting for more, which only tailable cursors do.
    if (definition.waits !== true) time.start(request.body, controller);
    const prepared = prepare(request.body, connection.user, definition, fields, concern, controller.signal);
    failure = server.failPoints?.take({
      command: definition.name,
      namespace: `${database}.${collectionOf(definition, parameters) ?? ""}`,
      applicationName: connection.applicationName,
      retryKey: definition.retryable === true ? retryKeyOf(request.body) : undefined,
    });
    if (failure !== undefined) await suffer(failure, server.clock, controller.signal);
    if (failure?.closeConnection === "before") return closing;
    if (fields !== undefined) transaction = await enter(fields, definition, server, await openEngine());
    const context = contextOf(running, prepared, database, transaction, controller.signal, openEngine);
    server.figures.operations[definition.counted ?? "command"] += 1;
    const reply = await definition.run(parameters, context);
    if (failure?.closeConnection === "after") return closing;
    return {
      fields: finished([...reply, ...concernFields(concern, running, failure), ["ok", doubleOne]], server, engine),
      moreToCome: request.exhaustAllowed && goesOn(definition, parameters, reply),
      hangUp: connection.hangUp,
    };
  } catch (error) {
    if (error instanceof DamagedFile || (!(error instanceof EngineError) && !connectionSignal.aborted))
      options.log.error({ err: error, deploymentId: server.deploymentId }, "a database command failed");
    // Whatever fails in a transaction ends it (manual, "Transactions").
    if (transaction?.opened?.isOpen === true) engine?.transactions.endSession(transaction.sessionId);
    const more = request.refusal === undefined ? aboutError(error, running, failure) : [];
    return {
      fields: finished([...errorReply(error), ...more], server, engine),
      moreToCome: false,
      hangUp: connection.hangUp,
    };
  } finally {
    time.stop();
    connection.operation = undefined;
    if (operation !== undefined) server.operations.end(operation);
  }
}

/** What a reply says of the write concern: the error that a fail point orders goes before the write's own. */
function concernFields(concern: WriteConcern, { request, server }: Running, failure: Failure | undefined): Reply {
  const ordered = failure?.writeConcernError;
  if (ordered === undefined) return writeConcernErrorField(concern);
  const code = codeOf(ordered);
  return [
    ["writeConcernError", documentValue(ordered)],
    ...errorLabelsField(
      errorLabelsOf(code, request.body, failure).filter((label) => label !== "TransientTransactionError"),
    ),
    ...topologyVersionField(code, server),
  ];
}

/** What the reply of a command that failed says besides the error itself. */
function aboutError(error: unknown, { request, server, cursors }: Running, failure: Failure | undefined): Reply {
  if (!(error instanceof EngineError)) return [];
  const watching = isWatching(request.body, cursors);
  const labels = [...new Set([...error.labels, ...errorLabelsOf(error.code, request.body, failure, watching)])];
  return [...errorLabelsField(labels), ...topologyVersionField(error.code, server)];
}

/** Whether a further answer to the same request would tell something: a `hello` that waits for changes, a cursor that has more. */
function goesOn(definition: CommandDefinition, parameters: Parameters, reply: Reply): boolean {
  if (definition.streams === true) return parameters.get("topologyVersion") !== undefined;
  if (definition.name !== "getMore") return false;
  const [, cursor] = reply.find(([name]) => name === "cursor") ?? [];
  const id = cursor === undefined ? undefined : getField(cursor.bytes(), "id");
  return id !== undefined && int64Of(id) !== 0n;
}

/** Name of the collection that a command is about. */
function collectionOf(definition: CommandDefinition, { main }: Parameters): string | undefined {
  return definition.onCollection === true && main.type === bsonType.string ? textOf(main) : undefined;
}

const closing: CommandAnswer = { fields: undefined, moreToCome: false, hangUp: true };

const withoutTests = commands.filter(({ testOnly }) => testOnly !== true);

const doubleOne = doubleValue(1);

/** What MongoDB still takes by the legacy operation code. */
const legacyCommands: ReadonlySet<string> = new Set([
  "hello",
  "isMaster",
  "ismaster",
  "saslStart",
  "saslContinue",
  "ping",
  "buildInfo",
  "buildinfo",
]);

function definitionOf({ body, legacy, refusal }: CommandRequest, { failPoints }: ServerFacts): CommandDefinition {
  if (refusal !== undefined) throw refusal;
  const first = fieldsOf(body).next();
  const name = first.done === true ? "" : first.value.name;
  if (legacy && !legacyCommands.has(name))
    throw new EngineError(
      352,
      "UnsupportedOpQueryCommand",
      `Unsupported OP_QUERY command: ${name}. The client driver may require an upgrade.`,
    );
  const definition = commandNamed(name);
  if (definition === undefined || (definition.testOnly === true && failPoints === undefined))
    throw unsupportedCommand(name);
  return definition;
}

function authorize(
  definition: CommandDefinition,
  connection: ConnectionState,
  database: string,
  parameters: Parameters,
): void {
  if (definition.action !== "open" && connection.user === undefined)
    throw new EngineError(13, "Unauthorized", `Command ${definition.name} requires authentication`);
  if (definition.adminOnly === true && database !== "admin")
    throw new EngineError(13, "Unauthorized", `${definition.name} may only be run against the admin database.`);
  if (definition.action === "open" || definition.action === "any" || connection.user === undefined) return;
  if (!isAllowed(connection.user.credential, definition.action, database, collectionOf(definition, parameters)))
    throw unauthorized(definition.name, parameters.main, database);
}

function contextOf(
  { server, connection, cursors, request }: Running,
  { sessionId, readConcern, write }: Prepared,
  database: string,
  transaction: CommandTransaction | undefined,
  signal: AbortSignal,
  engine: () => Promise<Engine>,
): CommandContext {
  const within = transaction?.opened === undefined ? {} : { transaction: transaction.opened };
  return {
    server,
    connection,
    cursors,
    commands: server.failPoints === undefined ? withoutTests : commands,
    database,
    signal,
    sessionId,
    sessionKey: (lsid) => sessionKeyOf(lsid, connection.user),
    continued: request.continued,
    engine,
    transaction,
    readConcernLevel: readConcern.level,
    read: async (opened) =>
      transaction === undefined ? readOptionsOf(readConcern, signal, opened) : { signal, ...within },
    write: { ...write, ...within },
  };
}

const noSignature = objectValue([
  ["hash", new Value(bsonType.binData, Uint8Array.of(20, 0, 0, 0, 0, ...new Uint8Array(20)))],
  ["keyId", int64Value(0n)],
]);

/** Adds the times that sessions carry from reply to request. */
function finished(fields: Reply, server: ServerFacts, engine: Engine | undefined): Reply {
  // Commands that open no database tell what others have told.
  const newest = engine?.clusterTime() ?? server.figures.newestTime;
  if (newest === undefined || newest.seconds === 0) return fields;
  const { seconds, increment } = newest;
  server.figures.newestTime = newest;
  server.figures.lastWrite = newest;
  const time = timestampValue(seconds, increment);
  const clusterTime = objectValue([
    ["clusterTime", time],
    ["signature", noSignature],
  ]);
  return [...fields, ["$clusterTime", clusterTime], ["operationTime", time]];
}
