import { deserialize, serialize } from "bson";
import { EngineError } from "./engine-error.ts";
import { bsonType } from "./bson/types.ts";
import { int64Of, timestampValue, Value } from "./bson/value.ts";
import { Catalog, type CollectionRecord } from "./catalog/catalog.ts";
import { checkNamespace } from "./catalog/names.ts";
import { refuseView } from "./catalog/views.ts";
import { emptyDocument } from "./bson/builder.ts";
import type { ClusterTime, Namespace, WriteOptions } from "./engine.ts";
import { CollectionWriter } from "./storage/collection-writer.ts";
import type { Connection, DatabaseFile } from "./storage/database-file.ts";
import { Turns } from "./storage/turns.ts";

/** How long a retryable write is remembered after its session was last used (sessions end after 30 minutes). */
const retryLifetimeMs = 30 * 60_000;

/** What a command may do while it holds the one write transaction of the file. */
export interface WriteTransaction {
  readonly connection: Connection;
  catalog: Catalog;
  /** The collection's writer, made with its totals; the collection must exist. */
  writerOf(record: CollectionRecord): CollectionWriter;
  /** The collection, made when missing. */
  ensureCollection(namespace: Namespace): CollectionRecord;
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
  #catalog: Catalog;
  #time: ClusterTime;

  constructor(file: DatabaseFile, clock: Clock, newUuid: () => Uint8Array) {
    this.#file = file;
    this.#clock = clock;
    this.#newUuid = newUuid;
    this.#catalog = Catalog.load(file.writer);
    this.#time = readTime(file.writer);
  }

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

  /** Runs `work` in a transaction of its own; everything or nothing. A retry of a write that went through answers what it answered. */
  async run<Result>(options: WriteOptions, work: (transaction: WriteTransaction) => Promise<Result>): Promise<Result> {
    const result = await this.#runInTurn(options, work);
    // Others write meanwhile, and one flush is for all.
    if (options.durable) await this.#file.log.flushed();
    return result;
  }

  #runInTurn<Result>(options: WriteOptions, work: (transaction: WriteTransaction) => Promise<Result>): Promise<Result> {
    return this.#turns.take(async () => {
      options.signal.throwIfAborted();
      const connection = this.#file.writer;
      const before = this.#retried<Result>(options);
      if (before !== undefined) return before.result;
      connection.execute("BEGIN IMMEDIATE");
      const writers = new Map<number, CollectionWriter>();
      const transaction: WriteTransaction = {
        connection,
        catalog: this.#catalog,
        writerOf: (record) => {
          const known = writers.get(record.id) ?? new CollectionWriter(connection, record);
          writers.set(record.id, known);
          return known;
        },
        ensureCollection: (namespace) =>
          stored(transaction.catalog.find(namespace)) ?? this.createCollection(transaction, namespace, emptyDocument),
      };
      try {
        const result = await work(transaction);
        for (const writer of writers.values()) {
          const { record } = writer;
          // A collection dropped in the same transaction has no totals to write.
          if (transaction.catalog.find({ database: record.database, collection: record.name })?.id === record.id)
            transaction.catalog = transaction.catalog.with(writer.finish());
        }
        const time = this.#nextTime();
        connection.run(
          "INSERT OR REPLACE INTO meta (k, v) VALUES ('clusterTime', ?)",
          timestampValue(time.seconds, time.increment).bytes(),
        );
        this.#remember(options, result);
        connection.execute("COMMIT");
        this.#file.log.noteCommit();
        this.#catalog = transaction.catalog;
        this.#time = time;
        return result;
      } catch (error) {
        connection.execute("ROLLBACK");
        connection.forget();
        throw error;
      }
    });
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
    return record;
  }

  dropCollection(transaction: WriteTransaction, record: CollectionRecord): void {
    const { connection } = transaction;
    for (const index of record.indexes) connection.execute(`DROP TABLE x_${index.id}`);
    connection.execute(`DROP TABLE c_${record.id}`);
    connection.run("DELETE FROM index_specification WHERE collection_id = ?", record.id);
    connection.run("DELETE FROM catalog WHERE id = ?", record.id);
    transaction.catalog = transaction.catalog.without({ database: record.database, collection: record.name });
  }

  /** Seconds of the clock, never below what was given before, also when the clock was set back or the process restarted. */
  #nextTime(): ClusterTime {
    const seconds = Math.floor(this.#clock.nowMs() / 1000);
    return seconds > this.#time.seconds
      ? { seconds, increment: 1 }
      : { seconds: this.#time.seconds, increment: this.#time.increment + 1 };
  }

  #retried<Result>({ retry }: WriteOptions): { readonly result: Result } | undefined {
    if (retry === undefined) return undefined;
    const row = this.#file.writer.get(
      "SELECT transaction_number, result FROM retry WHERE session = ?",
      retry.sessionId,
    );
    if (row === undefined) return undefined;
    const last = BigInt(row[0] as number | bigint);
    if (retry.transactionNumber === last)
      return { result: (deserialize(row[1] as Uint8Array, { promoteBuffers: true }) as { r: Result }).r };
    if (retry.transactionNumber < last) {
      throw new EngineError(
        225,
        "TransactionTooOld",
        `Retryable write with txnNumber ${retry.transactionNumber} is prohibited because a newer one (${last}) has already started`,
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

function readTime(connection: Connection): ClusterTime {
  const stored = connection.get("SELECT v FROM meta WHERE k = 'clusterTime'")?.[0];
  if (!(stored instanceof Uint8Array)) return { seconds: 0, increment: 0 };
  const bits = BigInt.asUintN(64, int64Of(new Value(bsonType.long, stored)));
  return { seconds: Number(bits >> 32n), increment: Number(bits & 0xffff_ffffn) };
}
