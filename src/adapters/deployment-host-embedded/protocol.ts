import type { DatabaseUserCredential, DirectoryEntry } from "../../ports/database-user-directory.ts";
import type { Arrival } from "./door.ts";
import type { LoggedWrite } from "../../ports/deployment-host.ts";
import type { CollectionDescription, CollectionTotals } from "../../ports/snapshot-repository.ts";

/** What the worker thread is told once, when it is made. */
export interface WorkerSettings {
  readonly host: string;
  readonly serverVersion: string;
  readonly systemUser: DatabaseUserCredential;
  /** Certificate chain and key (PEM) that the databases speak TLS with. */
  readonly tls: { readonly certificate: string; readonly key: string } | undefined;
  readonly testCommands: boolean;
  /** A database that nobody was connected to for so long is stopped at the next `rest`. */
  readonly idleMs: number;
}

/** What the main thread asks of the worker. */
export interface HostCalls {
  start(deployment: {
    readonly id: string;
    readonly replicaSetName: string;
    readonly path: string;
    readonly port: number;
  }): { readonly port: number };
  stop(deployment: { readonly id: string }): void;
  /** Answers once the thread can answer anything. */
  ping(nothing: Record<never, never>): void;
  /** Loads what the first client of a database will need; answers once it is there. */
  warmUp(nothing: Record<never, never>): void;
  /** Who it is that connects from this port of the same machine, having waited for the database to wake. */
  introduce(client: { readonly id: string; readonly port: number; readonly arrival: Arrival }): void;
  /** Stops the databases that nobody was connected to for a while; `inUse` says whether anything else is open. */
  rest(nothing: Record<never, never>): { readonly stopped: readonly string[]; readonly inUse: boolean };
  /** Closes connections, cursors and the engine; whoever comes waits until a file is named by `switchFile`. */
  holdFile(deployment: { readonly id: string }): void;
  /** Serves another file, or the same one again: connections, cursors and the old engine are closed. */
  switchFile(deployment: { readonly id: string; readonly path: string }): void;
  /** An empty data file under `path`; what is there is deleted, and an earlier staging of that path ends. `key` names this opening of it. */
  openStaging(staging: { readonly key: string; readonly path: string }): void;
  stageCollection(collection: { readonly key: string; readonly description: CollectionDescription }): void;
  stageDocuments(documents: {
    readonly key: string;
    readonly database: string;
    readonly name: string;
    readonly bytes: Uint8Array;
  }): void;
  stageIndexes(indexes: {
    readonly key: string;
    readonly database: string;
    readonly name: string;
    readonly specifications: readonly Uint8Array[];
  }): void;
  stageWrites(staging: { readonly key: string; readonly writes: readonly LoggedWrite[] }): void;
  stagedCollections(staging: { readonly key: string }): readonly (CollectionDescription & CollectionTotals)[];
  beginScan(scan: {
    readonly key: string;
    readonly scanId: number;
    readonly database: string;
    readonly name: string;
  }): void;
  /** Undefined at the end. */
  nextPiece(scan: { readonly key: string; readonly scanId: number }): Uint8Array | undefined;
  endScan(scan: { readonly key: string; readonly scanId: number }): void;
  /** Folds everything into the one file and closes it. */
  closeStaging(staging: { readonly key: string }): void;
  /** Closes and deletes the file, unless a later staging or a deployment has taken its path over. */
  discardStaging(staging: { readonly key: string }): void;
  closeAll(nothing: Record<never, never>): void;
}

/** What the worker asks of the main thread. */
export interface DirectoryCalls {
  findCredential(user: {
    readonly deploymentId: string;
    readonly authenticationDatabase: string;
    readonly username: string;
  }): DatabaseUserCredential | undefined;
  listUsers(deployment: { readonly deploymentId: string }): readonly DirectoryEntry[];
}

export type LogLevel = "debug" | "info" | "warn" | "error";

/** Messages either way: a call, its answer, or a line for the log. */
export type Message =
  | { readonly kind: "call"; readonly id: number; readonly name: string; readonly argument: unknown }
  | { readonly kind: "answer"; readonly id: number; readonly result: unknown }
  | { readonly kind: "failure"; readonly id: number; readonly message: string; readonly code: unknown }
  | { readonly kind: "log"; readonly level: LogLevel; readonly fields: object; readonly message: string };

/** A call to the other side, by the names and types of `Calls`. */
export type Caller<Calls extends Record<keyof Calls, (argument: never) => unknown>> = <
  Name extends keyof Calls & string,
>(
  name: Name,
  argument: Parameters<Calls[Name]>[0],
) => Promise<ReturnType<Calls[Name]>>;

/** Whoever answers `Calls`. */
export type Answerer<Calls extends Record<keyof Calls, (argument: never) => unknown>> = {
  readonly [Name in keyof Calls]: (argument: Parameters<Calls[Name]>[0]) => Promise<ReturnType<Calls[Name]>>;
};
