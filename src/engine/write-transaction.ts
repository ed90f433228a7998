import { bsonType } from "./bson/types.ts";
import { falseValue, int64Value, stringValue, timestampValue, trueValue, Value } from "./bson/value.ts";
import { Catalog, type CollectionRecord } from "./catalog/catalog.ts";
import type { IndexSpecification } from "./catalog/index-specification.ts";
import { buildDocument } from "./bson/builder.ts";
import { storeCollection } from "./collections.ts";
import type { ClusterTime, Namespace, WriteOptions } from "./engine.ts";
import { Commits } from "./oplog/commits.ts";
import { operationHead } from "./oplog/entry.ts";
import { type DocumentLog, EntryWriter } from "./oplog/entry-writer.ts";
import { oplogId, oplogNamespace } from "./oplog/namespace.ts";
import { compareTimes, timeOfRowId, timeOfValue } from "./oplog/time.ts";
import { collationKeysVersion } from "./query/collation-keys.ts";
import { renewCollationKeys } from "./renew-collation-keys.ts";
import { type LastNumber, RetryTable } from "./retries/retry-table.ts";
import type { StatementHistory } from "./retries/statement-history.ts";
import { CollectionWriter, type WriteGuard } from "./storage/collection-writer.ts";
import type { Connection, DatabaseFile } from "./storage/database-file.ts";
import { idKey } from "./storage/index-keys.ts";
import { type Pace, Turns } from "./storage/turns.ts";
import { type DocumentTransaction, replay } from "./transactions/document-transaction.ts";
import { HeldKeys, KeyHeld, writeConflict } from "./transactions/held-keys.ts";
import { tooOld } from "./transactions/transaction-registry.ts";

/** What a command may do while it holds the one write transaction of the file. */
export interface WriteTransaction {
  readonly connection: Connection;
  /** The operation log; document writers write to it by themselves. */
  readonly log: Pick<EntryWriter, "statementId" | "command">;
  /** What was done before under the number of a retryable write; undefined for other writes. */
  readonly history: StatementHistory | undefined;
  catalog: Catalog;
  /** The collection's writer, made with its totals; the collection must exist. */
  writerOf(record: CollectionRecord): CollectionWriter;
  /** The same for documents that the operation log is not to tell of. */
  loaderOf(record: CollectionRecord): CollectionWriter;
  /** Makes a collection. Throws 48 NamespaceExists, 73 InvalidNamespace. */
  createCollection(namespace: Namespace, options: Uint8Array, uuid?: Uint8Array): CollectionRecord;
  /** Notes a new index and makes its table `x_<number>`; answers the number. Its keys are the caller's to add. */
  createIndexTable(record: CollectionRecord, specification: IndexSpecification): number;
  /** Writes down what was done to a collection so far; answers the record as it now is. Writers of it that were handed out are not to be used again. */
  settled(record: CollectionRecord): CollectionRecord;
}

/** A write transaction on the file itself. */
export interface OwnTransaction extends WriteTransaction {
  readonly log: EntryWriter;
}

export interface Clock {
  nowMs(): number;
  monotonicMs(): number;
}

/** The writing side of a file: one transaction at a time, cluster time that only grows, and answers kept for retries. */
export class WriteSide {
  readonly #file: DatabaseFile;
  readonly #clock: Clock;
  readonly #newUuid: () => Uint8Array;
  readonly #turns = new Turns();
  readonly #retries: RetryTable;
  /** Bytes of entries that the operation log keeps. */
  readonly oplogMaxBytes: number;
  #catalog: Catalog;
  #time: ClusterTime;

  /** `oplogMaxBytes`: size of the operation log. */
  constructor(file: DatabaseFile, clock: Clock, newUuid: () => Uint8Array, oplogMaxBytes: number) {
    this.#file = file;
    this.#clock = clock;
    this.#newUuid = newUuid;
    this.oplogMaxBytes = oplogMaxBytes;
    this.#retries = new RetryTable(file.writer);
    this.#time = readTime(file.writer);
    renewCollationKeys(file.writer);
    this.#catalog = Catalog.load(file.writer);
    if (this.#catalog.find(oplogNamespace) === undefined) this.#beginLog();
  }

  /** Tells whoever waits for new entries. */
  readonly commits: Commits = new Commits();
  /** What open multi-document transactions have written. */
  readonly held: HeldKeys = new HeldKeys();

  get catalog(): Catalog {
    return this.#catalog;
  }

  get time(): ClusterTime {
    return this.#time;
  }

  /** Waits until nobody writes, then runs `work`; for pinning a state between transactions. */
  between<Result>(work: () => Result | Promise<Result>): Promise<Result> {
    return this.#turns.take(async () => work());
  }

  /**
   * Runs `work` in a transaction of its own; everything or nothing. What `work` does by statements it does once for each under the number of a retryable write. Where an open multi-document
   * transaction holds a document it waits for its end and runs `work` again; `once` throws 112 WriteConflict instead.
   */
  async run<Result>(
    options: WriteOptions,
    work: (transaction: WriteTransaction) => Promise<Result>,
    once: boolean = false,
  ): Promise<Result> {
    const result = await this.#runFreely(options, work, once);
    // Others write meanwhile, and one flush is for all.
    if (options.durable) await this.#file.log.flushed();
    return result;
  }

  /** Commits a multi-document transaction: does its changes again on the newest state. Throws 112 WriteConflict. */
  async commit(transaction: DocumentTransaction, options: WriteOptions, pace: Pace): Promise<void> {
    await this.#runInTurn(
      options,
      async (own) => {
        own.log.collect();
        await replay(own, transaction.changes, pace);
        own.log.writeCollected();
      },
      transaction,
    );
    if (options.durable) await this.#file.log.flushed();
  }

  /** Whether a session's transaction of that number was committed, as the file has it. Throws 225 for an older number than the newest. */
  wasCommitted(sessionId: Uint8Array, number: bigint): boolean {
    const last = this.lastNumber(sessionId);
    if (last !== undefined && last.number > number) throw tooOld(number, last.number);
    return last?.number === number && last.committed;
  }

  /** The newest number that a session wrote with. */
  lastNumber(sessionId: Uint8Array): LastNumber | undefined {
    return this.#retries.last(sessionId);
  }

  async #runFreely<Result>(
    options: WriteOptions,
    work: (transaction: WriteTransaction) => Promise<Result>,
    once: boolean,
  ): Promise<Result> {
    for (;;) {
      try {
        return await this.#runInTurn(options, work, undefined);
      } catch (error) {
        if (!(error instanceof KeyHeld)) throw error;
        if (once) throw writeConflict();
        await error.released(options.signal);
      }
    }
  }

  #runInTurn<Result>(
    options: WriteOptions,
    work: (transaction: OwnTransaction) => Promise<Result>,
    holder: DocumentTransaction | undefined,
  ): Promise<Result> {
    return this.#turns.take(async () => {
      options.signal.throwIfAborted();
      const connection = this.#file.writer;
      const { retry } = options;
      const history = retry === undefined || holder !== undefined ? undefined : this.#retries.historyOf(retry);
      connection.execute("BEGIN IMMEDIATE");
      const log = new EntryWriter(connection, this.#time, this.#clock.nowMs(), retry, history?.lastEntry);
      const writers = new Map<number, CollectionWriter>();
      const writerOf = (record: CollectionRecord, documents: DocumentLog | undefined): CollectionWriter => {
        const known =
          writers.get(record.id) ?? new CollectionWriter(connection, record, documents, this.#guardOf(record, holder));
        writers.set(record.id, known);
        return known;
      };
      const transaction: OwnTransaction = {
        connection,
        log,
        history,
        catalog: this.#catalog,
        writerOf: (record) => writerOf(record, log.documentsOf(record)),
        loaderOf: (record) => writerOf(record, undefined),
        createCollection: (namespace, collectionOptions, uuid = this.#newUuid()) =>
          storeCollection(transaction, namespace, collectionOptions, uuid),
        createIndexTable: (record, specification) => storeIndex(connection, record, specification),
        settled: (record) => {
          const finished = writers.get(record.id)?.finish();
          writers.delete(record.id);
          if (finished !== undefined) transaction.catalog = transaction.catalog.with(finished);
          return finished ?? record;
        },
      };
      try {
        const result = await work(transaction);
        const changed = [...writers.values()]
          .filter(({ record }) => isThere(transaction.catalog, record))
          .map((writer) => writer.finish());
        if (log.count > 0)
          changed.push(log.finish(transaction.catalog.find(oplogNamespace) as CollectionRecord, this.oplogMaxBytes));
        else keepTime(connection, log.advance());
        transaction.catalog = transaction.catalog.withAll(changed);
        if (history !== undefined) history.lastEntry = log.previous;
        if (retry !== undefined) this.#retries.remember(retry, history, this.#clock.nowMs());
        connection.execute("COMMIT");
        this.#file.log.noteCommit();
        this.#catalog = transaction.catalog;
        this.#time = log.time;
        this.commits.note();
        return result;
      } catch (error) {
        connection.execute("ROLLBACK");
        connection.forget();
        throw error;
      }
    });
  }

  /** Keeps from a document what an open transaction has written, unless `own` is the one. */
  #guardOf({ id }: CollectionRecord, own: DocumentTransaction | undefined): WriteGuard | undefined {
    const { held } = this;
    if (held.size === 0) return undefined;
    return (document) => {
      const holder = held.holderOf(id, idKey(document));
      if (holder !== undefined && holder !== own) throw new KeyHeld(holder);
    };
  }

  /** Puts the log among the collections, with a first entry, so that there is always a newest one. */
  #beginLog(): void {
    const { writer } = this.#file;
    writer.execute("BEGIN IMMEDIATE");
    try {
      writer.run(
        "INSERT INTO catalog (id, database, name, options, uuid) VALUES (?, ?, ?, ?, ?)",
        oplogId,
        oplogNamespace.database,
        oplogNamespace.collection,
        buildDocument([
          ["capped", trueValue],
          ["size", int64Value(BigInt(this.oplogMaxBytes))],
          ["autoIndexId", falseValue],
        ]),
        this.#newUuid(),
      );
      const log = new EntryWriter(writer, this.#time, this.#clock.nowMs(), undefined);
      log.write({
        head: operationHead("n", "", undefined),
        o: buildDocument([["msg", stringValue("initiating set")]]),
        o2: undefined,
      });
      const catalog = Catalog.load(writer);
      this.#catalog = catalog.with(log.finish(catalog.find(oplogNamespace) as CollectionRecord, this.oplogMaxBytes));
      writer.execute("COMMIT");
      this.#time = log.time;
    } catch (error) {
      writer.execute("ROLLBACK");
      throw error;
    }
  }
}

/** Puts an index into the catalog of the file; answers its number. */
function storeIndex(connection: Connection, record: CollectionRecord, specification: IndexSpecification): number {
  const { lastRowId } = connection.run(
    "INSERT INTO index_specification (collection_id, name, specification, collator) VALUES (?, ?, ?, ?)",
    record.id,
    specification.name,
    specification.bytes,
    specification.collation === undefined ? "" : collationKeysVersion,
  );
  connection.execute(
    `CREATE TABLE x_${lastRowId} (k BLOB NOT NULL, rid INTEGER NOT NULL, PRIMARY KEY (k, rid)) STRICT, WITHOUT ROWID`,
  );
  return lastRowId;
}

/** A collection dropped in the same transaction has no totals to write. */
function isThere(catalog: Catalog, { database, name, id }: CollectionRecord): boolean {
  return catalog.find({ database, collection: name })?.id === id;
}

/** Keeps the time of a state that no entry has. */
function keepTime(connection: Connection, { seconds, increment }: ClusterTime): void {
  connection.run(
    "INSERT OR REPLACE INTO meta (k, v) VALUES ('clusterTime', ?)",
    timestampValue(seconds, increment).bytes(),
  );
}

/** The newest time there was: of the newest entry, or of a later state without one. */
function readTime(connection: Connection): ClusterTime {
  const newest = connection.get("SELECT max(rid) FROM c_0")?.[0];
  const logged = newest === null || newest === undefined ? { seconds: 0, increment: 0 } : timeOfRowId(Number(newest));
  const stored = connection.get("SELECT v FROM meta WHERE k = 'clusterTime'")?.[0];
  if (!(stored instanceof Uint8Array)) return logged;
  const kept = timeOfValue(new Value(bsonType.timestamp, stored)) as ClusterTime;
  return compareTimes(kept, logged) > 0 ? kept : logged;
}
