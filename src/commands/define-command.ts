import type { ClusterTime, Engine, ReadOptions, Value, WriteOptions } from "../engine/index.ts";
import type { Clock } from "../ports/clock.ts";
import type { DatabaseUserCredential, DatabaseUserDirectory } from "../ports/database-user-directory.ts";
import type { Ids } from "../ports/ids.ts";
import type { Compressor } from "./compression.ts";
import type { CursorRegistry } from "./cursor-registry.ts";
import type { FailPoints } from "./fail-points.ts";
import type { LoginGuard } from "./login-guard.ts";
import type { OperationRegistry, RunningOperation } from "./operation-registry.ts";
import type { Parameters } from "./parameters.ts";
import type { CommandTransaction } from "./transaction-fields.ts";
import type { ScramConversation } from "./scram.ts";
import type { SessionRegistry } from "./session-registry.ts";

/** What a command does, for roles to allow. `open`: before login too; `any`: any user. */
export type Action =
  | "open"
  | "any"
  | "find"
  | "write"
  | "collectionAdmin"
  | "databaseAdmin"
  | "statistics"
  | "monitor"
  | "killOperation"
  | "flush"
  | "viewUser";

/** Fields of a reply, without `ok`. */
export type Reply = readonly (readonly [string, Value])[];

/** The server as its clients see it. */
export interface ServerFacts {
  readonly deploymentId: string;
  readonly replicaSetName: string;
  /** `x.y.z`. */
  readonly serverVersion: string;
  readonly startedMs: number;
  readonly directory: DatabaseUserDirectory;
  /** The process's own user, whose password lives in memory alone. */
  readonly systemUser?: DatabaseUserCredential | undefined;
  readonly clock: Clock;
  readonly ids: Ids;
  /** Keyed by this, the made-up salt of an unknown user is always the same. */
  readonly unknownUserKey: Uint8Array;
  /** 12 bytes that tell this run of the server from others, for `topologyVersion`. */
  readonly processId: Uint8Array;
  readonly logins: LoginGuard;
  readonly figures: ServerFigures;
  readonly sessions: SessionRegistry;
  /** Keys of sessions that began a transaction, in hexadecimal digits; some have ended since. */
  readonly transactionSessions: Set<string>;
  readonly operations: OperationRegistry;
  /** Only where the server was started for tests; then also the commands that are there for tests alone. */
  readonly failPoints: FailPoints | undefined;
}

/** What was counted since the start. */
export interface ServerFigures {
  connectionsCurrent: number;
  connectionsCreated: number;
  readonly operations: Record<OperationKind, number>;
  /** The newest write that a reply has told of. */
  lastWrite: ClusterTime;
  /** The newest cluster time that a reply has told of; undefined before the first. */
  newestTime: ClusterTime | undefined;
}

export type OperationKind = "insert" | "query" | "update" | "delete" | "getmore" | "command";

/** A client as its connection shows it. */
export interface Client {
  readonly id: number;
  readonly remoteHost: string;
  readonly remotePort: number;
  /** `host:port` of this server that the client is told to connect to. */
  readonly address: string;
}

export interface ConnectedUser {
  readonly name: string;
  /** The database it logged in by. */
  readonly database: string;
  readonly credential: DatabaseUserCredential;
  /** When it was last looked up, by the monotonic clock. */
  readonly checkedMs: number;
  /** Added to session ids: sessions of one user are none of another's. */
  readonly sessionOwner: Uint8Array;
}

/** What is known of a client. */
export interface ConnectionState extends Client {
  user: ConnectedUser | undefined;
  /** What the client calls itself (`appName`). */
  applicationName: string | undefined;
  conversation: ScramConversation | undefined;
  failedLogins: number;
  /** How its messages may be compressed, by the handshake. */
  compressors: readonly Compressor[];
  /** Set to end the connection once the reply is sent. */
  hangUp: boolean;
  /** What it is waiting for. */
  operation: RunningOperation | undefined;
}

/** Everything a command works with. */
export interface CommandContext {
  readonly server: ServerFacts;
  readonly connection: ConnectionState;
  readonly cursors: CursorRegistry;
  readonly database: string;
  /** Aborted by `maxTimeMS` and by the end of the connection. */
  readonly signal: AbortSignal;
  /** The session of this user, with an `lsid`. */
  readonly sessionId: Uint8Array | undefined;
  /** Every command there is. */
  readonly commands: readonly CommandDefinition[];
  /** Whether this is a further answer to a request that was answered before. */
  readonly continued: boolean;
  readonly readConcernLevel: string;
  /** `readConcern` made ready: with level snapshot it carries the cluster time, pinned anew when none was given. */
  readonly read: (engine: Engine) => Promise<ReadOptions>;
  readonly write: WriteOptions;
  /** The multi-document transaction that the command runs in. */
  readonly transaction: CommandTransaction | undefined;
  /** Key of a session of the user, of its id as documents carry it. Throws 14 and 9 for what is no session id. */
  readonly sessionKey: (lsid: Value) => Uint8Array;
  engine(): Promise<Engine>;
}

export interface CommandDefinition {
  readonly name: string;
  readonly action: Action;
  /** Whether the role is asked for the collection named in the command's own field. */
  readonly onCollection?: boolean;
  /** Only to be run on the database `admin`. */
  readonly adminOnly?: boolean;
  /** Takes read concern `snapshot` outside of transactions (manual, "Read Concern snapshot"); drivers send it with commands about a cursor too, whose time stands. */
  readonly snapshotReads?: boolean;
  /** Takes `txnNumber` (manual, "Retryable Writes"). */
  readonly retryable?: boolean;
  /** Only there on a server that was started for tests. */
  readonly testOnly?: boolean;
  /** Takes a write concern though it does not write by itself. */
  readonly takesWriteConcern?: boolean;
  /** Its `maxTimeMS` is how long to wait for something to answer, and no limit of its work. */
  readonly waits?: boolean;
  /** Ends the multi-document transaction that it names. */
  readonly endsTransaction?: boolean;
  /** Goes on answering when asked to, with a `topologyVersion`. */
  readonly streams?: boolean;
  /** As what it is counted; `command` when left out. */
  readonly counted?: OperationKind;
  readonly run: (parameters: Parameters, context: CommandContext) => Promise<Reply>;
}

/** Declares a wire command; the file is named like it. */
export function defineCommand(definition: CommandDefinition): CommandDefinition {
  return definition;
}
