import { aggregateFlow, type AggregateSurroundings } from "./aggregate-command.ts";
import { isChangeStream, openChangeStream } from "./change-streams/change-stream.ts";
import { idIndexOf } from "./catalog/clustered-index.ts";
import { checkedOptions } from "./catalog/collection-options.ts";
import { collectionEntry, databaseEntry, statisticsOf } from "./catalog/statistics.ts";
import type { Catalog } from "./catalog/catalog.ts";
import { refuseView } from "./catalog/views.ts";
import { checkDatabaseName, namespaceNotFound } from "./catalog/names.ts";
import { runBulk } from "./bulk-write.ts";
import { createUnlessThere, dropCollection, dropDatabase, ensureCollection, storedCollection } from "./collections.ts";
import { convertToCapped } from "./convert-to-capped.ts";
import type * as contract from "./engine.ts";
import { notSupported } from "./engine-error.ts";
import type { EngineOptions } from "./engine-options.ts";
import { explain } from "./explain.ts";
import { expireDocuments } from "./expiry.ts";
import { newObjectId } from "./object-id.ts";
import { uuid } from "./catalog/uuid.ts";
import { FlowCursor } from "./engine-cursor.ts";
import { createIndexes, dropIndexes } from "./index-commands.ts";
import { checkView } from "./check-view.ts";
import { scanPieces } from "./scan-pieces.ts";
import { checkCollection } from "./check-collection.ts";
import { checkedRename, renameCollection } from "./rename-collection.ts";
import { loadDocuments } from "./load-documents.ts";
import { isOplog, oplogDefaultMaxBytes, oplogNamespace, refuseOplog } from "./oplog/namespace.ts";
import { modifyCollection } from "./modify-collection.ts";
import { countDocuments, distinctValues, findFlow } from "./read-commands.ts";
import { openTail } from "./tail-cursor.ts";
import { type Flow, nothing } from "./query/flow.ts";
import { SnapshotRegistry, type ReadState } from "./snapshot-registry.ts";
import { DatabaseFile } from "./storage/database-file.ts";
import { QuerySpace } from "./storage/query-space.ts";
import { pipelineTarget, writeResults } from "./pipeline-writes.ts";
import { ownTransaction, TransactionSide } from "./transactions/transaction-side.ts";
import { Statements } from "./retries/statements.ts";
import { Pace } from "./storage/turns.ts";
import { runFindAndModify } from "./find-and-modify.ts";
import { runDeletes, runInsert, runUpdates, type WriteContext } from "./write-commands.ts";
import type { Warn } from "./validation.ts";
import { type Clock, type WriteTransaction, WriteSide } from "./write-transaction.ts";

type Namespace = contract.Namespace;

/** The engine over one SQLite file. */
export class EmbeddedEngine implements contract.Engine {
  readonly path: string;
  readonly transactions: TransactionSide;
  readonly #file: DatabaseFile;
  readonly #clock: Clock;
  readonly #monotonicMs: () => number;
  readonly #randomBytes: (length: number) => Uint8Array;
  readonly #warn: Warn;
  readonly #writes: WriteSide;
  readonly #snapshots: SnapshotRegistry;
  readonly #openedMs: number;
  readonly #space: QuerySpace;

  constructor(options: EngineOptions) {
    this.path = options.path;
    this.#clock = options.clock;
    this.#monotonicMs = () => options.clock.monotonicMs();
    this.#randomBytes = options.randomBytes;
    this.#openedMs = options.clock.nowMs();
    this.#warn = options.warn ?? (() => undefined);
    this.#file = new DatabaseFile(options.path);
    this.#writes = new WriteSide(
      this.#file,
      options.clock,
      () => uuid(options.randomBytes),
      options.oplogMaxBytes ?? oplogDefaultMaxBytes,
    );
    this.transactions = new TransactionSide(this.#file, this.#writes, options.clock, () => uuid(options.randomBytes));
    this.#space = new QuerySpace(options.path, options);
    this.#snapshots = new SnapshotRegistry(this.#file, this.#monotonicMs);
  }

  clusterTime(): contract.ClusterTime {
    return this.#writes.time;
  }

  async beginSnapshot(): Promise<contract.ClusterTime> {
    const time = await this.#writes.between(() => {
      this.#snapshots.pin(this.#writes.time, this.#writes.catalog);
      return this.#writes.time;
    });
    // What is read at a time must not be undone by a loss of power afterwards.
    await this.#file.log.flushed();
    return time;
  }

  async listDatabases(read: contract.ReadOptions): Promise<readonly contract.DatabaseEntry[]> {
    const { catalog } = this.#state(read);
    return catalog.databases().map((name) => databaseEntry(name, catalog.of(name)));
  }

  async listCollections(database: string, read: contract.ReadOptions): Promise<readonly contract.CollectionEntry[]> {
    return this.#state(read).catalog.of(database).map(collectionEntry);
  }

  async listIndexes(namespace: Namespace, read: contract.ReadOptions): Promise<readonly Uint8Array[]> {
    const record = storedCollection(this.#state(read).catalog, namespace);
    return isOplog(record) ? [] : [idIndexOf(record), ...record.indexes.map((index) => index.bytes)];
  }

  async statistics(namespace: Namespace, read: contract.ReadOptions): Promise<contract.CollectionStatistics> {
    const record = this.#state(read).catalog.find(namespace);
    refuseView(record);
    return statisticsOf(record);
  }

  createCollection(
    namespace: Namespace,
    options: Uint8Array,
    write: contract.WriteOptions,
    given?: Uint8Array,
  ): Promise<void> {
    const kept = checkedOptions(namespace, options);
    return this.#change(namespace, write, async (transaction) => {
      this.#checkView(transaction.catalog, namespace, kept);
      createUnlessThere(transaction, namespace, kept, { uuid: given, mustBeNew: write.transaction !== undefined });
    });
  }

  dropCollection(namespace: Namespace, write: contract.WriteOptions): Promise<boolean> {
    return this.#change(namespace, write, async (transaction) => {
      const record = transaction.catalog.find(namespace);
      if (record !== undefined) dropCollection(transaction, record);
      return record !== undefined;
    });
  }

  dropDatabase(database: string, write: contract.WriteOptions): Promise<void> {
    checkDatabaseName(database);
    refuseOplog({ ...oplogNamespace, database });
    return this.#writes.run(write, async (transaction) => dropDatabase(transaction, database));
  }

  createIndexes(
    namespace: Namespace,
    specifications: readonly Uint8Array[],
    write: contract.WriteOptions,
  ): ReturnType<contract.Engine["createIndexes"]> {
    return this.#change(namespace, write, async (transaction) => {
      const createdCollection = transaction.catalog.find(namespace) === undefined;
      const record = ensureCollection(transaction, namespace);
      const after = await createIndexes(transaction, record, specifications, this.#pace(write.signal));
      return { countBefore: record.indexes.length + 1, countAfter: after.indexes.length + 1, createdCollection };
    });
  }

  modifyCollection(namespace: Namespace, changes: Uint8Array, write: contract.WriteOptions): Promise<Uint8Array> {
    return this.#change(namespace, write, async (transaction) => {
      const record = transaction.catalog.find(namespace);
      if (record === undefined) throw namespaceNotFound(namespace);
      const reply = await modifyCollection(transaction, record, changes, this.#pace(write.signal));
      const options = transaction.catalog.find(namespace)?.options ?? record.options;
      if (options !== record.options) this.#checkView(transaction.catalog, namespace, options);
      return reply;
    });
  }

  renameCollection(from: Namespace, to: Namespace, dropTarget: boolean, write: contract.WriteOptions): Promise<void> {
    refuseOplog(to);
    return this.#change(from, write, async (transaction) => {
      renameCollection(transaction, checkedRename(transaction.catalog, from, to, dropTarget), to);
    });
  }

  convertToCapped(namespace: Namespace, sizeBytes: number, write: contract.WriteOptions): Promise<void> {
    return this.#change(namespace, write, (transaction) =>
      convertToCapped(
        transaction,
        storedCollection(transaction.catalog, namespace),
        sizeBytes,
        this.#pace(write.signal),
      ),
    );
  }

  async validate(namespace: Namespace, read: contract.ReadOptions): Promise<contract.ValidationReport> {
    const { connection, catalog } = this.#state(read);
    return checkCollection(connection, storedCollection(catalog, namespace), this.#pace(read.signal));
  }

  dropIndexes(
    namespace: Namespace,
    indexes: "*" | readonly (string | Uint8Array)[],
    write: contract.WriteOptions,
  ): Promise<number> {
    return this.#change(namespace, write, async (transaction) => {
      const record = storedCollection(transaction.catalog, namespace);
      dropIndexes(transaction, record, indexes);
      return record.indexes.length + 1;
    });
  }

  insert(
    namespace: Namespace,
    documents: readonly Uint8Array[],
    ordered: boolean,
    write: contract.WriteOptions,
  ): Promise<contract.InsertResult> {
    return this.#change(namespace, write, (transaction) =>
      runInsert(this.#context(transaction, namespace, write), documents, ordered),
    );
  }

  update(
    namespace: Namespace,
    statements: readonly contract.UpdateStatement[],
    ordered: boolean,
    write: contract.WriteOptions,
  ): Promise<contract.UpdateResult> {
    return this.#change(namespace, write, (transaction) =>
      runUpdates(this.#context(transaction, namespace, write), statements, ordered),
    );
  }

  delete(
    namespace: Namespace,
    statements: readonly contract.DeleteStatement[],
    ordered: boolean,
    write: contract.WriteOptions,
  ): Promise<contract.DeleteResult> {
    return this.#change(namespace, write, (transaction) =>
      runDeletes(this.#context(transaction, namespace, write), statements, ordered),
    );
  }

  bulkWrite(
    operations: readonly contract.BulkOperation[],
    ordered: boolean,
    write: contract.WriteOptions,
  ): Promise<contract.BulkResults> {
    return this.#change(undefined, write, (transaction) => {
      const statements = new Statements(transaction, write.retry);
      return runBulk(operations, ordered, statements, ({ namespace }) =>
        this.#context(transaction, namespace, write, statements),
      );
    });
  }

  findAndModify(
    namespace: Namespace,
    query: contract.FindAndModifyQuery,
    write: contract.WriteOptions,
  ): ReturnType<contract.Engine["findAndModify"]> {
    return this.#change(namespace, write, (transaction) =>
      runFindAndModify(this.#context(transaction, namespace, write), query),
    );
  }

  async find(
    namespace: Namespace,
    query: contract.FindQuery,
    read: contract.ReadOptions,
  ): Promise<contract.EngineCursor> {
    const surroundings = this.#surroundings(read);
    const record = query.tailable === true ? surroundings.state.catalog.find(namespace) : undefined;
    if (record !== undefined)
      return openTail(surroundings.state, record, query, this.#writes.commits, this.#monotonicMs);
    const flow = await this.#made(() => findFlow(surroundings, namespace, query), read.signal);
    return new FlowCursor(flow, this.#monotonicMs);
  }

  async aggregate(
    database: string,
    collection: string | undefined,
    query: contract.AggregateQuery,
    read: contract.ReadOptions,
  ): Promise<contract.EngineCursor> {
    const surroundings = this.#surroundings(read);
    const namespace = { database, collection: collection ?? "" };
    if (isChangeStream(query.pipeline)) {
      const live = { writes: this.#writes, connection: this.#file.reader, monotonicMs: this.#monotonicMs };
      return openChangeStream(live, surroundings, namespace, query);
    }
    const flow = await this.#made(() => aggregateFlow(surroundings, namespace, query), read.signal);
    const target = pipelineTarget(query.pipeline, database);
    if (target === undefined) return new FlowCursor(flow, this.#monotonicMs);
    const { write } = query;
    if (write === undefined) throw notSupported(`${target.stage} in a pipeline that is only read`);
    // Results are made once, and so can be written once.
    const once = true;
    await this.#change(
      target.namespace,
      write,
      (transaction) => writeResults(this.#context(transaction, target.namespace, write), target, flow),
      once,
    );
    return new FlowCursor(nothing(), this.#monotonicMs);
  }

  count(namespace: Namespace, query: contract.CountQuery, read: contract.ReadOptions): Promise<number> {
    return countDocuments(this.#surroundings(read), namespace, query, read.signal, this.#monotonicMs);
  }

  distinct(namespace: Namespace, query: contract.DistinctQuery, read: contract.ReadOptions): Promise<Uint8Array> {
    return distinctValues(this.#surroundings(read), namespace, query, read.signal, this.#monotonicMs);
  }

  explain(namespace: Namespace, request: contract.ExplainRequest, read: contract.ReadOptions): Promise<Uint8Array> {
    return explain(this.#surroundings(read), namespace, request, this.#pace(read.signal), this.#monotonicMs);
  }

  expireDocuments(): Promise<number> {
    this.transactions.endExpired();
    return expireDocuments(this, this.#writes.catalog, () => this.#clock.nowMs());
  }

  load(namespace: Namespace, documents: Uint8Array): Promise<void> {
    const write = { signal: new AbortController().signal, durable: false };
    return this.#writes.run(write, (transaction) => {
      const writer = transaction.loaderOf(storedCollection(transaction.catalog, namespace));
      return loadDocuments(writer, documents, this.#pace(write.signal));
    });
  }

  scan(namespace: Namespace, read: contract.ReadOptions): AsyncIterable<Uint8Array> {
    return scanPieces(this.#state(read), namespace, read.signal);
  }

  flush(): Promise<void> {
    return this.#file.log.flushed();
  }

  async close(): Promise<void> {
    await this.#writes.between(() => {
      this.transactions.endAll();
      this.#snapshots.close();
      this.#space.close();
      return this.#file.close();
    });
  }

  /** Runs `work` in a write transaction. */
  async #change<Result>(
    namespace: Namespace | undefined,
    write: contract.WriteOptions,
    work: (transaction: WriteTransaction) => Promise<Result>,
    once: boolean = false,
  ): Promise<Result> {
    if (namespace !== undefined) refuseOplog(namespace);
    if (write.transaction !== undefined) return ownTransaction(write.transaction).run(work);
    if (write.retry !== undefined) this.transactions.supersede(write.retry.sessionId, write.retry.transactionNumber);
    return this.#writes.run(write, work, once);
  }

  #state(read: contract.ReadOptions): ReadState {
    if (read.transaction !== undefined) return ownTransaction(read.transaction).state;
    return read.atClusterTime === undefined
      ? { connection: this.#file.reader, catalog: this.#writes.catalog }
      : this.#snapshots.at(read.atClusterTime);
  }

  #surroundings(read: contract.ReadOptions): AggregateSurroundings {
    return {
      state: this.#state(read),
      moment: { nowMs: this.#clock.nowMs(), clusterTime: this.clusterTime() },
      openedMs: this.#openedMs,
      room: this.#space,
      random: () => Buffer.from(this.#randomBytes(6)).readUIntBE(0, 6) / 2 ** 48,
    };
  }

  /** Makes a query ready, which may take long: it may hold long lists, and values to compute. */
  readonly #made = (make: () => Flow, signal: AbortSignal): Promise<Flow> => this.#pace(signal).make(make);

  #pace(signal: AbortSignal): Pace {
    return new Pace(this.#monotonicMs, signal);
  }

  #checkView(catalog: Catalog, namespace: Namespace, options: Uint8Array): void {
    const { state, ...surroundings } = this.#surroundings({ signal: new AbortController().signal });
    checkView({ ...surroundings, state: { ...state, catalog } }, namespace, options);
  }

  #context(
    transaction: WriteTransaction,
    namespace: Namespace,
    write: contract.WriteOptions,
    statements = new Statements(transaction, write.retry),
  ): WriteContext {
    const nowMs = this.#clock.nowMs();
    refuseOplog(namespace);
    refuseView(transaction.catalog.find(namespace));
    return {
      transaction,
      namespace,
      pace: this.#pace(write.signal),
      bypassValidation: write.bypassDocumentValidation === true,
      warn: this.#warn,
      nowMs,
      newObjectId: () => newObjectId(nowMs, this.#randomBytes),
      statements,
    };
  }
}
