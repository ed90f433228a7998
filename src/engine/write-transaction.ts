import { deserialize, serialize } from "bson";
import { EngineError } from "./engine-error.ts";
import { bsonType } from "./bson/types.ts";
import {
  documentValue,
  falseValue,
  int32Value,
  int64Value,
  stringValue,
  timestampValue,
  trueValue,
  Value,
} from "./bson/value.ts";
import { fieldsOf } from "./bson/walk.ts";
import { Catalog, type CollectionRecord } from "./catalog/catalog.ts";
import { checkNamespace } from "./catalog/names.ts";
import { isView, refuseView } from "./catalog/views.ts";
import { idIndexBytes } from "./catalog/index-specification.ts";
import { buildDocument, emptyDocument } from "./bson/builder.ts";
import type { ClusterTime, Namespace, WriteOptions } from "./engine.ts";
import { Commits } from "./oplog/commits.ts";
import { operationHead } from "./oplog/entry.ts";
import { type DocumentLog, EntryWriter } from "./oplog/entry-writer.ts";
import { oplogId, oplogNamespace } from "./oplog/namespace.ts";
import { compareTimes, timeOfRowId, timeOfValue } from "./oplog/time.ts";
import { CollectionWriter, type WriteGuard } from "./storage/collection-writer.ts";
import type { Connection, DatabaseFile } from "./storage/database-file.ts";
import { idKey } from "./storage/index-keys.ts";
import { Turns } from "./storage/turns.ts";
import { type DocumentTransaction, replay } from "./transactions/document-transaction.ts";
import { HeldKeys, KeyHeld, writeConflict } from "./transactions/held-keys.ts";
import { committed, tooOld } from "./transactions/transaction-registry.ts";

/** How long a retryable write is remembered after its session was last used (sessions end after 30 minutes). */
const retryLifetimeMs = 30 * 60_000;

/** What a command may do while it holds the one write transaction of the file. */
export interface WriteTransaction {
  readonly connection: Connection;
  /** The operation log; document writers write to it by themselves. */
  readonly log: Pick<EntryWriter, "statementId" | "command">;
  catalog: Catalog;
  /** The collection's writer, made with its totals; the collection must exist. */
  writerOf(record: CollectionRecord): CollectionWriter;
  /** The same for documents that the operation log is not to tell of. */
  loaderOf(record: CollectionRecord): CollectionWriter;
  /** The collection, made when missing. */
  ensureCollection(namespace: Namespace): CollectionRecord;
}

/** A write transaction on the file itself. */
interface OwnTransaction extends WriteTransaction {
  readonly log: EntryWriter;
}

/** What is kept as the answer of a committed transaction. */
const committedMark = { committed: true } as const;

function isCommittedMark(result: unknown): boolean {
  return (result as { readonly committed?: unknown } | null)?.committed === true;
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
    this.#time = readTime(file.writer);
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
   * Runs `work` in a transaction of its own; everything or nothing. A retry of a write that went through answers what it answered. Where an open multi-document
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
  async commit(transaction: DocumentTransaction, options: WriteOptions, rest: () => Promise<void>): Promise<void> {
    await this.#runInTurn(
      options,
      async (own) => {
        own.log.collect();
        await replay(own, transaction.changes, (record) => this.#createLike(own, record), rest);
        own.log.writeCollected();
        return committedMark;
      },
      transaction,
    );
    if (options.durable) await this.#file.log.flushed();
  }

  /** Whether a session's transaction of that number was committed, as the file has it. Throws 225 for an older number than the newest. */
  wasCommitted(sessionId: Uint8Array, number: bigint): boolean {
    const last = this.lastNumber(sessionId);
    if (last !== undefined && last.number > number) throw tooOld(number, last.number);
    return last?.number === number && isCommittedMark(last.result);
  }

  /** The newest number that a session wrote with, and what was answered. */
  lastNumber(sessionId: Uint8Array): { readonly number: bigint; readonly result: unknown } | undefined {
    const row = this.#file.writer.get("SELECT transaction_number, result FROM retry WHERE session = ?", sessionId);
    if (row === undefined) return undefined;
    const { r: result } = deserialize(row[1] as Uint8Array, { promoteBuffers: true }) as { r: unknown };
    return { number: BigInt(row[0] as number | bigint), result };
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
      const before = this.#retried<Result>(options, holder !== undefined);
      if (before !== undefined) return before.result;
      connection.execute("BEGIN IMMEDIATE");
      const log = new EntryWriter(connection, this.#time, this.#clock.nowMs(), options.retry);
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
        catalog: this.#catalog,
        writerOf: (record) => writerOf(record, log.documentsOf(record)),
        loaderOf: (record) => writerOf(record, undefined),
        ensureCollection: (namespace) =>
          stored(transaction.catalog.find(namespace)) ?? this.createCollection(transaction, namespace, emptyDocument),
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
        this.#remember(options, result);
        connection.execute("COMMIT");
        this.#file.log.noteCommit();
        this.#catalog = transaction.catalog;
        this.#time = log.time;
        if (log.count > 0) this.commits.note();
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

  #createLike(transaction: WriteTransaction, { database, name, options, uuid }: CollectionRecord): void {
    this.createCollection(transaction, { database, collection: name }, options, uuid);
  }

  createCollection(
    transaction: WriteTransaction,
    namespace: Namespace,
    options: Uint8Array,
    uuid: Uint8Array = this.#newUuid(),
  ): CollectionRecord {
    checkNamespace(namespace);
    if (transaction.catalog.find(namespace) !== undefined) {
      throw new EngineError(
        48,
        "NamespaceExists",
        `Collection ${namespace.database}.${namespace.collection} already exists.`,
      );
    }
    const { lastRowId } = transaction.connection.run(
      "INSERT INTO catalog (database, name, options, uuid) VALUES (?, ?, ?, ?)",
      namespace.database,
      namespace.collection,
      options,
      uuid,
    );
    transaction.connection.execute(
      `CREATE TABLE c_${lastRowId} (rid INTEGER PRIMARY KEY, k BLOB NOT NULL UNIQUE, d BLOB NOT NULL) STRICT`,
    );
    const record: CollectionRecord = {
      id: lastRowId,
      database: namespace.database,
      name: namespace.collection,
      options,
      uuid,
      documentCount: 0,
      dataSizeBytes: 0,
      indexes: [],
    };
    transaction.catalog = transaction.catalog.with(record);
    transaction.log.command(record.database, uuid, creationOf(record));
    return record;
  }

  dropCollection(transaction: WriteTransaction, record: CollectionRecord): void {
    const { connection } = transaction;
    for (const index of record.indexes) connection.execute(`DROP TABLE x_${index.id}`);
    connection.execute(`DROP TABLE c_${record.id}`);
    connection.run("DELETE FROM index_specification WHERE collection_id = ?", record.id);
    connection.run("DELETE FROM catalog WHERE id = ?", record.id);
    transaction.catalog = transaction.catalog.without({ database: record.database, collection: record.name });
    transaction.log.command(
      record.database,
      record.uuid,
      buildDocument([["drop", stringValue(record.name)]]),
      buildDocument([["numRecords", int64Value(BigInt(record.documentCount))]]),
    );
  }

  /** Drops every collection; of a database without any the log says nothing. */
  dropDatabase(transaction: WriteTransaction, database: string): void {
    const records = transaction.catalog.of(database);
    for (const record of records) this.dropCollection(transaction, record);
    if (records.length === 0) return;
    transaction.log.command(database, undefined, buildDocument([["dropDatabase", int32Value(1)]]));
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

  #retried<Result>({ retry }: WriteOptions, isCommit: boolean): { readonly result: Result } | undefined {
    const last = retry === undefined ? undefined : this.lastNumber(retry.sessionId);
    if (retry === undefined || last === undefined) return undefined;
    if (retry.transactionNumber === last.number) {
      if (!isCommit && isCommittedMark(last.result)) throw committed(last.number);
      return { result: last.result as Result };
    }
    if (retry.transactionNumber < last.number) {
      throw new EngineError(
        225,
        "TransactionTooOld",
        `Retryable write with txnNumber ${retry.transactionNumber} is prohibited because a newer one (${last.number}) has already started`,
      );
    }
    return undefined;
  }

  #remember({ retry }: WriteOptions, result: unknown): void {
    if (retry === undefined) return;
    const nowMs = this.#clock.nowMs();
    const { writer } = this.#file;
    writer.run("DELETE FROM retry WHERE used_ms < ?", nowMs - retryLifetimeMs);
    writer.run(
      "INSERT OR REPLACE INTO retry (session, transaction_number, result, used_ms) VALUES (?, ?, ?, ?)",
      retry.sessionId,
      retry.transactionNumber,
      serialize({ r: result }),
      nowMs,
    );
  }
}

/** Throws 166 for a view: nothing is stored in it. */
function stored(record: CollectionRecord | undefined): CollectionRecord | undefined {
  refuseView(record);
  return record;
}

/** A collection dropped in the same transaction has no totals to write. */
function isThere(catalog: Catalog, { database, name, id }: CollectionRecord): boolean {
  return catalog.find({ database, collection: name })?.id === id;
}

function creationOf(record: CollectionRecord): Uint8Array {
  return buildDocument([
    ["create", stringValue(record.name)],
    ...Array.from(fieldsOf(record.options), ({ name, value }) => [name, value] as const),
    ...(isView(record) ? [] : [["idIndex", documentValue(idIndexBytes)] as const]),
  ]);
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
