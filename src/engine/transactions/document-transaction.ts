import { equalBytes } from "../bson/bytes.ts";
import { type Catalog, type CollectionRecord, emptyRecord } from "../catalog/catalog.ts";
import { settingsOf } from "../catalog/collection-settings.ts";
import type { IndexSpecification } from "../catalog/index-specification.ts";
import { isView } from "../catalog/views.ts";
import { requireFree } from "../collections.ts";
import type { BulkResults, EngineTransaction, InsertResult, Namespace } from "../engine.ts";
import { EngineError, located, notSupported } from "../engine-error.ts";
import { createIndexes } from "../index-commands.ts";
import { isOplog } from "../oplog/namespace.ts";
import type { ReadState } from "../snapshot-registry.ts";
import { CollectionWriter } from "../storage/collection-writer.ts";
import type { Connection } from "../storage/database-file.ts";
import { idKey } from "../storage/index-keys.ts";
import { type Pace, Turns } from "../storage/turns.ts";
import type { OwnTransaction, WriteTransaction } from "../write-transaction.ts";
import { type HeldKeys, type Holder, writeConflict } from "./held-keys.ts";
import type { Overlay } from "./overlay.ts";

/** Bytes of documents that one transaction may write. */
export const transactionMaxBytes = 64 * 1024 * 1024;

/** Collections and indexes that a transaction makes have numbers from here on until they are stored. */
const firstCreatedId = 2 ** 40;

/** What a transaction did, in order; done again on the newest state when it commits. */
export type Change =
  | { readonly kind: "create"; readonly record: CollectionRecord }
  | { readonly kind: "createIndex"; readonly record: CollectionRecord; readonly specification: Uint8Array }
  | { readonly kind: "insert"; readonly record: CollectionRecord; readonly after: Uint8Array }
  | {
      readonly kind: "replace";
      readonly record: CollectionRecord;
      readonly before: Uint8Array;
      readonly after: Uint8Array;
      readonly whole: boolean;
    }
  | { readonly kind: "remove"; readonly record: CollectionRecord; readonly before: Uint8Array };

/** What a transaction needs of the engine. */
export interface TransactionSurroundings {
  /** The newest state. */
  readonly newest: Connection;
  readonly held: HeldKeys;
  readonly newUuid: () => Uint8Array;
  readonly monotonicMs: () => number;
  readonly lifetimeMs: number;
}

/** An open multi-document transaction: a pinned state, and its own writes on top of it in memory. */
export class DocumentTransaction implements EngineTransaction, Holder {
  readonly changes: Change[] = [];
  readonly #connection: Overlay;
  readonly #surroundings: TransactionSurroundings;
  readonly #turns = new Turns();
  readonly #end = Promise.withResolvers<void>();
  readonly #endsMs: number;
  #catalog: Catalog;
  #sizeBytes = 0;
  #created = 0;
  #isOpen = true;

  constructor(connection: Overlay, catalog: Catalog, surroundings: TransactionSurroundings) {
    this.#connection = connection;
    this.#catalog = catalog;
    this.#surroundings = surroundings;
    this.#endsMs = surroundings.monotonicMs() + surroundings.lifetimeMs;
  }

  get isOpen(): boolean {
    if (this.#isOpen && this.leftMs() <= 0) this.end();
    return this.#isOpen;
  }

  get ended(): Promise<void> {
    return this.#end.promise;
  }

  /** What the transaction reads. Throws 251 NoSuchTransaction once it has ended. */
  get state(): ReadState {
    this.#requireOpen();
    return { connection: this.#connection, catalog: this.#catalog };
  }

  leftMs(): number {
    return Math.max(0, this.#endsMs - this.#surroundings.monotonicMs());
  }

  expire(): void {
    if (this.leftMs() <= 0) this.end();
  }

  /** Lets go of everything; what was not committed is gone. */
  end(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#surroundings.held.letGo(this);
    this.#connection.close();
    this.#end.resolve();
  }

  /** Runs a command that writes. Whatever fails ends the transaction. Throws 112 WriteConflict, 257 TransactionTooLarge and others. */
  run<Result>(work: (transaction: WriteTransaction) => Promise<Result>): Promise<Result> {
    return this.#turns.take(async () => {
      this.#requireOpen();
      const writers = new Map<number, CollectionWriter>();
      const transaction: WriteTransaction = {
        connection: this.#connection,
        log: { statementId: 0, command: () => undefined },
        history: undefined,
        catalog: this.#catalog,
        writerOf: (record) => {
          const writer = writers.get(record.id) ?? this.#writerOf(record);
          writers.set(record.id, writer);
          return writer;
        },
        loaderOf: () => {
          throw notSupported("loading documents in a transaction");
        },
        createCollection: (namespace, options, uuid = this.#surroundings.newUuid()) =>
          this.#create(transaction, namespace, options, uuid),
        createIndexTable: (record, specification) => this.#createIndex(record, specification),
        settled: (record) => {
          const current = writers.get(record.id)?.current ?? record;
          writers.delete(record.id);
          transaction.catalog = transaction.catalog.with(current);
          return current;
        },
      };
      try {
        const result = await work(transaction);
        this.#requireOpen();
        this.#catalog = transaction.catalog.withAll([...writers.values()].map((writer) => writer.current));
        if (hasErrors(result)) this.end();
        return result;
      } catch (error) {
        this.end();
        throw error;
      }
    });
  }

  /** Commits by `work`, after what was begun before; ends the transaction either way. */
  finish(work: () => Promise<void>): Promise<void> {
    return this.#turns.take(async () => {
      this.#requireOpen();
      try {
        await work();
      } finally {
        this.end();
      }
    });
  }

  #create(
    transaction: WriteTransaction,
    namespace: Namespace,
    options: Uint8Array,
    uuid: Uint8Array,
  ): CollectionRecord {
    requireFree(transaction.catalog, namespace);
    if (isView({ options })) throw notInTransaction("Cannot create a view in a multi-document transaction.");
    refuseSystem(namespace.database, namespace.collection);
    const record = emptyRecord(firstCreatedId + this.#created, namespace, options, uuid);
    this.#created += 1;
    this.#connection.create(record.id);
    this.#note({ kind: "create", record }, options.length);
    transaction.catalog = transaction.catalog.with(record);
    return record;
  }

  /** Indexes are made on what the transaction itself has made and not filled yet (manual, "Create Collections and Indexes in a Transaction"). */
  #createIndex(record: CollectionRecord, { bytes }: IndexSpecification): number {
    const kind = record.id < firstCreatedId ? "existing" : record.documentCount > 0 ? "non-empty" : undefined;
    if (kind !== undefined)
      throw notInTransaction(
        `Cannot create new indexes on ${kind} collection ${record.database}.${record.name} in a multi-document transaction.`,
      );
    const id = firstCreatedId + this.#created;
    this.#created += 1;
    this.#connection.createIndex(id);
    this.#note({ kind: "createIndex", record, specification: bytes }, bytes.length);
    return id;
  }

  #writerOf(record: CollectionRecord): CollectionWriter {
    if (isOplog(record)) throw notSupported("writing the operation log");
    refuseSystem(record.database, record.name);
    if (settingsOf(record).capped !== undefined)
      throw notInTransaction(
        `Collection '${record.database}.${record.name}' is a capped collection. Writes in transactions are not allowed on capped collections.`,
      );
    this.#connection.cover(record);
    return new CollectionWriter(
      this.#connection,
      record,
      {
        inserted: (after) => this.#note({ kind: "insert", record, after }, after.length),
        replaced: (before, after, whole) => {
          this.#note({ kind: "replace", record, before, after, whole }, before.length + after.length);
          return [];
        },
        removed: (before) => this.#note({ kind: "remove", record, before }, before.length),
      },
      (document, before) => this.#hold(record, document, before),
    );
  }

  /** Takes a document for this transaction. Throws 112 when another has it, or when it is no longer what the transaction sees. */
  #hold({ id }: CollectionRecord, document: Uint8Array, before: Uint8Array | undefined): void {
    const { held, newest } = this.#surroundings;
    const key = idKey(document);
    const holder = held.holderOf(id, key);
    if (holder === this) return;
    if (holder !== undefined) {
      holder.expire();
      if (held.holderOf(id, key) !== undefined) throw writeConflict();
    }
    if (id < firstCreatedId && !isSame(storedIn(newest, id, key), before)) throw writeConflict();
    held.hold(id, key, this);
  }

  #note(change: Change, sizeBytes: number): void {
    this.changes.push(change);
    this.#sizeBytes += sizeBytes + 64;
    if (this.#sizeBytes > transactionMaxBytes)
      throw new EngineError(
        257,
        "TransactionTooLarge",
        `Total size of all transaction operations must be less than ${transactionMaxBytes} bytes.`,
      );
  }

  #requireOpen(): void {
    if (!this.isOpen)
      throw new EngineError(251, "NoSuchTransaction", "The transaction has been aborted.", [
        "TransientTransactionError",
      ]);
  }
}

function notInTransaction(message: string): EngineError {
  return new EngineError(263, "OperationNotSupportedInTransaction", message);
}

/** Throws 50791 for collections of the server's own. */
function refuseSystem(database: string, collection: string): void {
  if (collection.startsWith("system."))
    throw located(50_791, `Cannot write to system collection ${database}.${collection} within a transaction.`);
}

/** Whether a statement of a command failed, or an operation of a bulk. */
function hasErrors(result: unknown): boolean {
  const { writeErrors = [], results = [] } = (result ?? {}) as Partial<InsertResult & BulkResults>;
  return writeErrors.length > 0 || results.some(({ error }) => error !== undefined);
}

function isSame(one: Uint8Array | undefined, other: Uint8Array | undefined): boolean {
  return one === undefined || other === undefined ? one === other : equalBytes(one, other);
}

/** The document as it is now. A collection that was dropped has none. */
function storedIn(connection: Connection, collectionId: number, key: Uint8Array): Uint8Array | undefined {
  try {
    return connection.get(`SELECT d FROM c_${collectionId} WHERE k = ?`, key)?.[0] as Uint8Array | undefined;
  } catch (error) {
    if (/no such table/.test((error as Error).message)) throw writeConflict();
    throw error;
  }
}

/** Does what a transaction did on the newest state. Throws 112 WriteConflict when that has changed under it. */
export async function replay(transaction: OwnTransaction, changes: readonly Change[], pace: Pace): Promise<void> {
  for (const change of changes) {
    const { record } = change;
    const namespace = { database: record.database, collection: record.name };
    const found = transaction.catalog.find(namespace);
    if (change.kind === "create") {
      if (found !== undefined) throw writeConflict();
      transaction.createCollection(namespace, record.options, record.uuid);
      continue;
    }
    if (found === undefined || !equalBytes(found.uuid, record.uuid)) throw writeConflict();
    if (change.kind === "createIndex")
      await createIndexes(transaction, transaction.settled(found), [change.specification], pace);
    else await replayWrite(transaction, found, change, pace);
    if (pace.due) await pace.rest();
  }
}

async function replayWrite(
  transaction: OwnTransaction,
  record: CollectionRecord,
  change: Exclude<Change, { readonly kind: "create" | "createIndex" }>,
  pace: Pace,
): Promise<void> {
  const writer = transaction.writerOf(record);
  try {
    if (change.kind === "insert") {
      await pace.drain(writer.insertion(change.after));
      return;
    }
    const row = transaction.connection.get(`SELECT rid, d FROM c_${record.id} WHERE k = ?`, idKey(change.before));
    if (row === undefined || !equalBytes(row[1] as Uint8Array, change.before)) throw writeConflict();
    const rowId = Number(row[0]);
    if (change.kind === "replace")
      await pace.drain(writer.replacement(rowId, change.before, change.after, change.whole));
    else await pace.drain(writer.removal(rowId, change.before));
  } catch (error) {
    // Somebody else's document has taken the unique key meanwhile.
    throw error instanceof EngineError && error.code === 11_000 ? writeConflict() : error;
  }
}
