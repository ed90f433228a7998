import type { CollectionDescription, CollectionTotals } from "./snapshot-repository.ts";

/** What a host must know of a deployment to serve its database. */
export interface HostedDeployment {
  /** 24 hex digits. */
  readonly id: string;
  readonly projectId: string;
  readonly name: string;
  /** Which of the deployment's data files is the true one; a restore writes the next and the metadata transaction moves this number. */
  readonly generation: number;
  /** The port it had before, if any: it is taken again when free, so that connection strings stay true. */
  readonly port?: number;
}

export interface DeploymentAddress {
  readonly host: string;
  readonly port: number;
  /** Name of the replica set that drivers are told. */
  readonly replicaSetName: string;
}

/** A write as an operation log tells it. */
export interface LoggedWrite {
  readonly database: string;
  readonly name: string;
  /** `put`: the document stands there afterwards; `change`: it is changed as the entry's `o` says, when it is there; `delete`: it is gone afterwards. */
  readonly kind: "put" | "change" | "delete";
  /** A document whose only field is the `_id`. */
  readonly id: Uint8Array;
  /** The document, or the entry's `o` (`{$v: 2, diff}`, or `$set` and `$unset` of older servers); undefined for `delete`. */
  readonly o: Uint8Array | undefined;
}

/** A new data file beside the one in use. Nothing written here can be seen by anybody until the metadata says its generation is the true one. */
export interface RestoreStaging {
  createCollection(description: CollectionDescription): Promise<void>;
  /** Whole BSON documents, one after the other; stored as they are. */
  insertDocuments(database: string, name: string, documents: Uint8Array): Promise<void>;
  /** Builds the collection's indexes; after the documents, since that is quicker and finds duplicates. */
  createIndexes(database: string, name: string, indexes: readonly Uint8Array[]): Promise<void>;
  /**
   * Does writes again that may have been done before, and what followed them too: done in order to the last one, the documents are what they were after it, wherever between
   * the first and the last each was read.
   */
  applyWrites(writes: readonly LoggedWrite[]): Promise<void>;
  /** What now stands in the file: descriptions with totals, read back from it. */
  collections(): Promise<readonly (CollectionDescription & CollectionTotals)[]>;
  /** The documents as they stand in the file, in `_id` order. */
  documents(database: string, name: string): AsyncIterable<Uint8Array>;
  /** Makes the file durable and closes it. */
  finish(): Promise<void>;
  /** Closes and deletes the file. Never throws. */
  abort(): Promise<void>;
}

/** Runs the databases of deployments. The embedded engine is one host; deployments elsewhere need none. */
export interface DeploymentHost {
  /** Full version `x.y.z` that the databases announce. */
  readonly serverVersion: string;
  /** Makes the database reachable. Doing it again answers the same address. Throws when no port of the range is free. */
  start(deployment: HostedDeployment): Promise<DeploymentAddress>;
  /** Closes the database and its connections; the data stays. */
  stop(deploymentId: string): Promise<void>;
  /** Stops it and deletes all its data files. */
  remove(deploymentId: string): Promise<void>;
  /** A connection string for this process's own use, with a user that may read and write everything. Secret: never logged, never stored. */
  systemConnectionString(deploymentId: string): Promise<string>;
  /** Opens an empty data file for `generation`; one that a dead process left behind is deleted first. */
  openStaging(deploymentId: string, generation: number): Promise<RestoreStaging>;
  /**
   * Serves another generation if `decide` says so: open cursors and transactions end, clients reconnect. While it decides nothing is served, so that nobody who knows of the
   * decision meets the old data, and no write to them is acknowledged after it. Data files of other generations are deleted then. Answers what was decided; when `decide`
   * throws, so does this, and the generation before is served.
   */
  switchGeneration(deploymentId: string, generation: number, decide: () => Promise<boolean>): Promise<boolean>;
  /** Closes everything. */
  close(): Promise<void>;
}
