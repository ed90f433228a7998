import type { Engine, ReadOptions, Value, WriteOptions } from "../engine/index.ts";
import type { Clock } from "../ports/clock.ts";
import type { DatabaseUserCredential, DatabaseUserDirectory } from "../ports/database-user-directory.ts";
import type { Ids } from "../ports/ids.ts";
import type { CursorRegistry } from "./cursor-registry.ts";
import type { Parameters } from "./parameters.ts";
import type { ScramConversation } from "./scram.ts";

/** What a command does, for roles to allow. `open`: before login too; `any`: any user. */
export type Action = "open" | "any" | "find" | "write" | "collectionAdmin" | "databaseAdmin" | "statistics" | "monitor";

/** Fields of a reply, without `ok`. */
export type Reply = readonly (readonly [string, Value])[];

/** The server as its clients see it. */
export interface ServerFacts {
  readonly deploymentId: string;
  readonly replicaSetName: string;
  /** `x.y.z`. */
  readonly serverVersion: string;
  /** `host:port` that drivers are told. */
  readonly address: string;
  readonly startedMs: number;
  readonly directory: DatabaseUserDirectory;
  /** The process's own user, whose password lives in memory alone. */
  readonly systemUser: DatabaseUserCredential | undefined;
  readonly clock: Clock;
  readonly ids: Ids;
  /** Keyed by this, the made-up salt of an unknown user is always the same. */
  readonly unknownUserKey: Uint8Array;
}

/** What is known of a client. */
export interface ConnectionState {
  readonly id: number;
  readonly remoteAddress: string;
  user: { readonly name: string; readonly credential: DatabaseUserCredential } | undefined;
  conversation: ScramConversation | undefined;
  failedLogins: number;
}

/** Everything a command works with. */
export interface CommandContext {
  readonly server: ServerFacts;
  readonly connection: ConnectionState;
  readonly cursors: CursorRegistry;
  readonly database: string;
  /** Aborted by `maxTimeMS` and by the end of the connection. */
  readonly signal: AbortSignal;
  /** Bytes of the session's id, with an `lsid`. */
  readonly sessionId: Uint8Array | undefined;
  /** `readConcern` made ready: with level snapshot it carries the cluster time, pinned anew when none was given. */
  readonly read: (engine: Engine) => Promise<ReadOptions>;
  readonly write: WriteOptions;
  engine(): Promise<Engine>;
}

export interface CommandDefinition {
  readonly name: string;
  readonly action: Action;
  /** Whether the role is asked for the collection named in the command's own field. */
  readonly onCollection?: boolean;
  readonly run: (parameters: Parameters, context: CommandContext) => Promise<Reply>;
}

/** Declares a wire command; the file is named like it. */
export function defineCommand(definition: CommandDefinition): CommandDefinition {
  return definition;
}
