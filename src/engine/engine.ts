import type { Value } from "./bson/value.ts";

/** Where documents live: `database.collection`. */
export interface Namespace {
  readonly database: string;
  readonly collection: string;
}

/** A moment in the order of writes: seconds since the epoch and a counter within the second, as a BSON Timestamp. */
export interface ClusterTime {
  readonly seconds: number;
  readonly increment: number;
}

export interface ReadOptions {
  /** Aborted by killOp, `maxTimeMS` and a closed connection; the operation then throws the signal's reason within milliseconds. */
  readonly signal: AbortSignal;
  /** Reads the state that `beginSnapshot` pinned under this time. Throws 239 SnapshotTooOld when it is no longer held. */
  readonly atClusterTime?: ClusterTime;
  /** Reads what the transaction sees. */
  readonly transaction?: EngineTransaction;
}

/** An open transaction, to be handed back to the engine with what is done in it. Anything that fails in it ends it. */
export interface EngineTransaction {
  readonly isOpen: boolean;
}

/** Multi-document transactions, by session and number (manual, "Transactions"). */
export interface Transactions {
  /** Begins one on the newest state; an older one of the session ends. Throws 225 TransactionTooOld, 50911. */
  begin(sessionId: Uint8Array, number: bigint): Promise<EngineTransaction>;
  /** The open one. Throws 251 NoSuchTransaction, 225 TransactionTooOld, 256 TransactionCommitted. */
  open(sessionId: Uint8Array, number: bigint): EngineTransaction;
  /** All of it or nothing; again the same answer for one that is committed, also after a restart. Throws 112 WriteConflict, 251, 225. */
  commit(sessionId: Uint8Array, number: bigint, write: WriteOptions): Promise<void>;
  /** Throws 251, 225, 256. */
  abort(sessionId: Uint8Array, number: bigint): void;
  /** Ends what a session has open. */
  endSession(sessionId: Uint8Array): void;
  /** Sessions whose transactions are open. */
  openSessions(): readonly Uint8Array[];
}

export interface WriteOptions {
  readonly signal: AbortSignal;
  /** Wait for fsync before answering (`j: true`, `w: "majority"`, and the default). */
  readonly durable: boolean;
  /** Documents need not be as the collection's validator says. */
  readonly bypassDocumentValidation?: boolean | undefined;
  /** A retryable write: of the same pair again each statement that has written answers what it did, and is not done again. */
  readonly retry?: {
    readonly sessionId: Uint8Array;
    readonly transactionNumber: bigint;
    /** Ids of the command's statements, in their order; their places when left out. */
    readonly statementIds?: readonly number[] | undefined;
  };
  /** Writes in the transaction: nobody else sees it before the commit. */
  readonly transaction?: EngineTransaction;
}

/** One statement of a command that failed while others may have gone through. */
export interface WriteError {
  readonly index: number;
  readonly code: number;
  readonly message: string;
  /** With 11000 DuplicateKey: one BSON document each. */
  readonly keyPattern?: Uint8Array;
  readonly keyValue?: Uint8Array;
  /** With 121 DocumentValidationFailure. */
  readonly details?: Uint8Array;
}

/** Ids of statements that a retry found done. */
export interface RetriedStatements {
  readonly retried: readonly number[];
}

export interface InsertResult extends RetriedStatements {
  readonly insertedCount: number;
  readonly writeErrors: readonly WriteError[];
}

/** What says how documents are found, besides a filter. */
export interface Search {
  /** `{locale, strength, ...}`; without one the collection's own holds. */
  readonly collation?: Uint8Array | undefined;
  /** Index name or key pattern document. */
  readonly hint?: string | Uint8Array | undefined;
}

export interface UpdateStatement extends Search {
  readonly filter: Uint8Array;
  /** Update document or replacement; an array of stages for a pipeline. */
  readonly update: Uint8Array | readonly Uint8Array[];
  readonly multi: boolean;
  readonly upsert: boolean;
  readonly arrayFilters: readonly Uint8Array[];
  /** Documents given under `let`, for `$expr`. */
  readonly variables?: Uint8Array;
  readonly sort?: Uint8Array;
}

export interface UpdateResult extends RetriedStatements {
  readonly matchedCount: number;
  readonly modifiedCount: number;
  /** Each a BSON document `{index, _id}` as the reply shows it. */
  readonly upserted: readonly Uint8Array[];
  readonly writeErrors: readonly WriteError[];
}

export interface DeleteStatement extends Search {
  readonly filter: Uint8Array;
  /** False: every match. */
  readonly justOne: boolean;
  readonly variables?: Uint8Array;
}

/** One operation of a bulk write. */
export type BulkOperation = { readonly namespace: Namespace } & (
  | { readonly kind: "insert"; readonly document: Uint8Array }
  | { readonly kind: "update"; readonly statement: UpdateStatement }
  | { readonly kind: "delete"; readonly statement: DeleteStatement }
);

/** Results of those that were tried. */
export interface BulkResults extends RetriedStatements {
  readonly results: readonly BulkResult[];
}

export interface BulkResult {
  /** Of the operation. */
  readonly index: number;
  /** Inserted, matched or deleted; an upsert is not among them. */
  readonly count: number;
  /** Of an update. */
  readonly modifiedCount?: number;
  /** `{_id}` of a document that an update inserted. */
  readonly upserted?: Uint8Array;
  readonly error?: WriteError;
}

export interface DeleteResult extends RetriedStatements {
  readonly deletedCount: number;
  readonly writeErrors: readonly WriteError[];
}

export interface FindAndModifyQuery extends Search {
  readonly filter: Uint8Array;
  readonly sort?: Uint8Array;
  readonly projection?: Uint8Array;
  /** Absent: the document is removed. */
  readonly update?: Uint8Array | readonly Uint8Array[];
  readonly upsert: boolean;
  /** Answer the document after the change instead of before. */
  readonly returnNew: boolean;
  readonly arrayFilters: readonly Uint8Array[];
  readonly variables?: Uint8Array;
}

export interface FindAndModifyResult {
  readonly value: Uint8Array | undefined;
  readonly updatedExisting: boolean;
  /** BSON document `{_id}` of an upsert. */
  readonly upserted?: Uint8Array;
}

/** Whether sorting and grouping may lay on the disk what memory does not hold; true when left out. Else they throw 292. */
export interface DiskUse {
  readonly allowDiskUse?: boolean | undefined;
}

export interface FindQuery extends Search, DiskUse {
  readonly filter: Uint8Array;
  readonly projection?: Uint8Array;
  readonly sort?: Uint8Array;
  readonly skip?: number;
  /** 0 or absent: no limit. */
  readonly limit?: number;
  readonly variables?: Uint8Array;
  /** In the order of the hinted index, from this key on. */
  readonly min?: Uint8Array | undefined;
  /** And below this one. */
  readonly max?: Uint8Array | undefined;
  /** Answer the keys that documents were found by instead. */
  readonly returnKey?: boolean;
  /** Add `$recordId`. */
  readonly showRecordId?: boolean;
  /** Stay open at the end for what is yet to come; of the operation log and capped collections. Throws 2 BadValue for other collections and for another order. */
  readonly tailable?: boolean;
}

/** Documents of stages on a database that whoever calls the engine knows, `$currentOp` for instance: by name, made of the stage's argument. */
export type DatabaseStages = ReadonlyMap<string, (argument: Value) => Iterable<Uint8Array>>;

export interface AggregateQuery extends Search, DiskUse {
  readonly pipeline: readonly Uint8Array[];
  /** Documents given under `let`. */
  readonly variables?: Uint8Array | undefined;
  readonly databaseStages?: DatabaseStages | undefined;
  /** For pipelines that end in `$out` or `$merge`. */
  readonly write?: WriteOptions | undefined;
}

export interface CountQuery extends Search {
  readonly filter: Uint8Array;
  readonly skip?: number | undefined;
  /** 0 or absent: no limit. */
  readonly limit?: number | undefined;
}

export interface DistinctQuery extends Search {
  /** Dotted path. */
  readonly key: string;
  readonly filter: Uint8Array;
}

/** An operation to be explained. */
export interface ExplainRequest extends DiskUse {
  readonly filter: Uint8Array;
  readonly sort?: Uint8Array | undefined;
  readonly projection?: Uint8Array | undefined;
  readonly skip?: number | undefined;
  /** 0 or absent: no limit. */
  readonly limit?: number | undefined;
  readonly hint?: string | Uint8Array | undefined;
  readonly collation?: Uint8Array | undefined;
  readonly variables?: Uint8Array | undefined;
  /** An aggregation; the fields above but `hint`, `collation` and `variables` say nothing then. */
  readonly pipeline?: readonly Uint8Array[] | undefined;
  readonly count?: boolean | undefined;
  readonly min?: Uint8Array | undefined;
  readonly max?: Uint8Array | undefined;
  readonly returnKey?: boolean;
  /** What would be done to the documents; nothing is. */
  readonly change?: "update" | "delete" | undefined;
  /** Run it and count. */
  readonly execute: boolean;
  readonly allPlans: boolean;
}

/** Results of one query, read as far as asked. Documents are whole BSON documents that stay valid after the next call. */
export interface EngineCursor {
  /** At least one document unless exhausted; at most `maxDocuments`, and no further document once `maxBytes` is reached. */
  next(
    limits: { readonly maxDocuments: number; readonly maxBytes: number },
    signal: AbortSignal,
  ): Promise<readonly Uint8Array[]>;
  /** True once `next` cannot give more. */
  readonly exhausted: boolean;
  /** Of tailable cursors, whose `next` may give nothing without being exhausted: waits until there may be more, `close`, or the time is over. */
  readonly more?: (timeoutMs: number, signal: AbortSignal) => Promise<void>;
  /** Of change streams: where another stream would go on behind what was given. */
  readonly resumeToken?: Value;
  close(): void;
}

export interface DatabaseEntry {
  readonly name: string;
  readonly sizeOnDiskBytes: number;
  readonly empty: boolean;
}

export interface CollectionEntry {
  readonly name: string;
  readonly type: "collection" | "view";
  /** BSON document, the bytes given at creation. */
  readonly options: Uint8Array;
  /** 16 bytes. */
  readonly uuid: Uint8Array;
}

/** What a check of a collection found. */
export interface ValidationReport {
  readonly valid: boolean;
  readonly documentCount: number;
  /** Documents that are no BSON. */
  readonly invalidCount: number;
  readonly keysPerIndex: readonly { readonly name: string; readonly keyCount: number }[];
  /** The first hundred. */
  readonly errors: readonly string[];
}

export interface CollectionStatistics {
  /** Of a capped collection: what it may hold at most. */
  readonly capped: { readonly sizeBytes: number; readonly documents: number | undefined } | undefined;
  readonly documentCount: number;
  readonly dataSizeBytes: number;
  readonly indexCount: number;
  readonly indexSizeBytes: number;
}

/**
 * One deployment's databases in one file. Everything is asynchronous so that long work can give way to others between steps; the engine
 * itself runs wherever it is called (a worker thread, in the product). Errors are `EngineError` with MongoDB's codes.
 */
export interface Engine {
  readonly path: string;
  /** Time of the newest write. */
  clusterTime(): ClusterTime;
  /** Pins the newest state for reads with `atClusterTime`; let go when unused for 300 s. */
  beginSnapshot(): Promise<ClusterTime>;

  readonly transactions: Transactions;

  listDatabases(read: ReadOptions): Promise<readonly DatabaseEntry[]>;
  /** In name order; system collections included. */
  listCollections(database: string, read: ReadOptions): Promise<readonly CollectionEntry[]>;
  /** Specifications `{v, key, name, ...}`. Throws 26 NamespaceNotFound. */
  listIndexes(namespace: Namespace, read: ReadOptions): Promise<readonly Uint8Array[]>;
  statistics(namespace: Namespace, read: ReadOptions): Promise<CollectionStatistics>;

  /** Throws 48 NamespaceExists, 73 InvalidNamespace, 115 CommandNotSupportedOnView, 72 InvalidOptions. */
  createCollection(namespace: Namespace, options: Uint8Array, write: WriteOptions, uuid?: Uint8Array): Promise<void>;
  /** False when there was none. */
  dropCollection(namespace: Namespace, write: WriteOptions): Promise<boolean>;
  dropDatabase(database: string, write: WriteOptions): Promise<void>;
  createIndexes(
    namespace: Namespace,
    specifications: readonly Uint8Array[],
    write: WriteOptions,
  ): Promise<{ readonly countBefore: number; readonly countAfter: number; readonly createdCollection: boolean }>;
  /** Changes one as `collMod` says; `changes` has its fields without the name. Answers the fields of the reply. Throws 26, 27, 72 and others. */
  modifyCollection(namespace: Namespace, changes: Uint8Array, write: WriteOptions): Promise<Uint8Array>;
  /** Also to another database. Throws 26, 48, 20, 73, 166. */
  renameCollection(from: Namespace, to: Namespace, dropTarget: boolean, write: WriteOptions): Promise<void>;
  /** Puts a capped collection of that many bytes, with the newest documents, in a collection's place. Throws 26, 166, 2. */
  convertToCapped(namespace: Namespace, sizeBytes: number, write: WriteOptions): Promise<void>;
  /** Reads all of a collection and its indexes and holds them to each other. Throws 26, 166. */
  validate(namespace: Namespace, read: ReadOptions): Promise<ValidationReport>;
  /** By names or key patterns; `"*"` is all but `_id_`. Throws 27 IndexNotFound. Answers how many there were. */
  dropIndexes(
    namespace: Namespace,
    indexes: "*" | readonly (string | Uint8Array)[],
    write: WriteOptions,
  ): Promise<number>;

  /** Creates the collection when missing. A missing `_id` is the caller's to add; `_id` is moved first. */
  insert(
    namespace: Namespace,
    documents: readonly Uint8Array[],
    ordered: boolean,
    write: WriteOptions,
  ): Promise<InsertResult>;
  update(
    namespace: Namespace,
    statements: readonly UpdateStatement[],
    ordered: boolean,
    write: WriteOptions,
  ): Promise<UpdateResult>;
  delete(
    namespace: Namespace,
    statements: readonly DeleteStatement[],
    ordered: boolean,
    write: WriteOptions,
  ): Promise<DeleteResult>;
  /** Operations on several collections, all in one transaction; one result for each that was tried. */
  bulkWrite(operations: readonly BulkOperation[], ordered: boolean, write: WriteOptions): Promise<BulkResults>;
  findAndModify(
    namespace: Namespace,
    query: FindAndModifyQuery,
    write: WriteOptions,
  ): Promise<FindAndModifyResult & RetriedStatements>;

  find(namespace: Namespace, query: FindQuery, read: ReadOptions): Promise<EngineCursor>;
  /** `collection` undefined: a database-level pipeline. */
  aggregate(
    database: string,
    collection: string | undefined,
    query: AggregateQuery,
    read: ReadOptions,
  ): Promise<EngineCursor>;
  count(namespace: Namespace, query: CountQuery, read: ReadOptions): Promise<number>;
  /** BSON document `{values: [...]}`. */
  distinct(namespace: Namespace, query: DistinctQuery, read: ReadOptions): Promise<Uint8Array>;

  /** BSON document `{queryPlanner, executionStats?}`, or `{stages}` for a pipeline that is more than a query (manual, "Explain Results"). */
  explain(namespace: Namespace, request: ExplainRequest, read: ReadOptions): Promise<Uint8Array>;
  /** Deletes documents whose time in a TTL index is over, as any delete does; to be asked regularly by whoever serves the file. Answers how many went. */
  expireDocuments(): Promise<number>;
  /** Stores whole documents given in one buffer as they are, for restores; the collection must exist. */
  load(namespace: Namespace, documents: Uint8Array): Promise<void>;
  /** Every document in `_id` order, whole documents concatenated, about 1 MiB at a time. */
  scan(namespace: Namespace, read: ReadOptions): AsyncIterable<Uint8Array>;
  /** Waits until everything that was acknowledged is on the disk, also what did not wait for it. */
  flush(): Promise<void>;
  /** Writes everything to the one main file and closes it; the write-ahead log is gone afterwards. */
  close(): Promise<void>;
}
