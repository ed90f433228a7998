import { deserialize, type Document } from "bson";
import { type MongoClient, MongoServerError } from "mongodb";
import type { Clock } from "../../ports/clock.ts";
import {
  type ExternalRestores,
  type ExternalStaging,
  type OpenExternalStaging,
  TargetNotEmpty,
} from "../../ports/external-restore.ts";
import type { CollectionDescription, CollectionTotals } from "../../ports/snapshot-repository.ts";
import { keyOf, readCatalogue } from "./catalogue.ts";
import { type ConnectedClient, type ConnectOptions, connectClient } from "./connect-client.ts";
import { insertRaw } from "./raw-insert.ts";
import { readDocuments } from "./read-documents.ts";
import { sameIndexes, sameOptions } from "./same-description.ts";

const serverSelectionTimeoutMs = 15_000;
const durable = { writeConcern: { w: "majority" } };

/** Restores into deployments elsewhere through the official driver. */
export function createExternalRestores(clock: Clock, options: Partial<ConnectOptions> = {}): ExternalRestores {
  return {
    async open(connectionString, request, signal) {
      const connected = await connectClient(
        connectionString,
        { serverSelectionTimeoutMs, ...options, forWriting: true },
        signal,
      );
      const staging = new StagedCollections(connected, request, clock, signal);
      try {
        await staging.dropLeftBehind();
        await staging.requireReplaceable();
      } catch (error) {
        await connected.close();
        signal.throwIfAborted();
        throw staging.explain(error);
      }
      return staging.asStaging();
    },
  };
}

/** The collections of one restore, under names that nobody uses until they are proven. */
class StagedCollections {
  readonly #connected: ConnectedClient;
  readonly #client: MongoClient;
  readonly #prefix: string;
  readonly #replacesExisting: boolean;
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  /** By true name. */
  readonly #descriptions = new Map<string, CollectionDescription>();
  readonly #stagedNames = new Map<string, string>();

  constructor(
    connected: ConnectedClient,
    { restoreJobId, replacesExisting }: OpenExternalStaging,
    clock: Clock,
    signal: AbortSignal,
  ) {
    this.#connected = connected;
    this.#client = connected.client;
    this.#prefix = `telamon_restore_${restoreJobId}_`;
    this.#replacesExisting = replacesExisting;
    this.#clock = clock;
    this.#signal = signal;
  }

  asStaging(): ExternalStaging {
    return {
      createCollection: (description) => this.#told(() => this.#create(description)),
      insertDocuments: (database, name, documents) =>
        this.#told(() => insertRaw(this.#client, database, this.#stagedName(database, name), documents)),
      createIndexes: (database, name, indexes) => this.#told(() => this.#createIndexes(database, name, indexes)),
      collections: () => this.#told(() => this.#collections()),
      documents: (database, name) =>
        readDocuments(
          this.#client.db(database).collection(this.#stagedName(database, name)),
          undefined,
          this.#clock,
          this.#signal,
        ),
      publish: (begin) => this.#told(() => this.#publish(begin)),
      abort: async () => {
        await this.dropLeftBehind().catch(() => undefined);
        await this.#connected.close();
      },
    };
  }

  async dropLeftBehind(): Promise<void> {
    for (const { database, name } of await readCatalogue(this.#client))
      if (name.startsWith(this.#prefix)) await this.#drop(database, name);
  }

  /** Throws `TargetNotEmpty` unless what is there may go, and answers what is there. */
  async requireReplaceable(): Promise<readonly CollectionDescription[]> {
    const present = (await readCatalogue(this.#client)).filter(({ name }) => !name.startsWith(this.#prefix));
    const [first] = present;
    if (first !== undefined && !this.#replacesExisting) throw new TargetNotEmpty(keyOf(first));
    return present;
  }

  /** Errors that may be others at another time have no number: with one, a restore is given up. */
  explain(error: unknown): unknown {
    if (error instanceof MongoServerError && mayPass.has(error.code))
      return new Error(`The target failed for the moment: ${error.message}`, { cause: error });
    return this.#connected.explain(error);
  }

  async #told<Result>(work: () => Promise<Result>): Promise<Result> {
    try {
      this.#signal.throwIfAborted();
      return await work();
    } catch (error) {
      this.#signal.throwIfAborted();
      throw this.explain(error);
    }
  }

  async #create(description: CollectionDescription): Promise<void> {
    const { database, name, type } = description;
    const key = keyOf(description);
    if (type === "timeseries") throw notRestorable(`${key} is a time series collection`);
    if (name.startsWith("system.")) throw notRestorable(`${key} belongs to the server`);
    this.#descriptions.set(key, description);
    // Views are made at the end: they can be given no other name later.
    if (type === "view") return;
    const stagedName = `${this.#prefix}${this.#stagedNames.size}`;
    this.#stagedNames.set(key, stagedName);
    await this.#client
      .db(database)
      .command({ create: stagedName, ...typed(description.options), ...durable }, { readPreference: "primary" });
  }

  async #createIndexes(database: string, name: string, specifications: readonly Uint8Array[]): Promise<void> {
    const indexes = specifications.map(typed).filter(({ name: indexName }) => indexName !== "_id_");
    for (const index of indexes) delete index["ns"];
    if (indexes.length === 0) return;
    await this.#client
      .db(database)
      .command({ createIndexes: this.#stagedName(database, name), indexes, ...durable }, { readPreference: "primary" });
  }

  /** Options and indexes that mean what was asked for are told in the snapshot's own bytes. */
  async #collections(): Promise<readonly (CollectionDescription & CollectionTotals)[]> {
    const found = new Map((await readCatalogue(this.#client)).map((one) => [keyOf(one), one]));
    const described: (CollectionDescription & CollectionTotals)[] = [];
    for (const [key, wanted] of this.#descriptions) {
      if (wanted.type === "view") {
        described.push({ ...wanted, documentCount: 0, dataSizeBytes: 0 });
        continue;
      }
      const stagedName = this.#stagedNames.get(key) ?? "";
      const actual = found.get(keyOf({ ...wanted, name: stagedName }));
      if (actual === undefined) continue;
      const documentCount = await this.#client.db(wanted.database).collection(stagedName).countDocuments({});
      described.push({ ...inWordsOf(wanted, actual), documentCount, dataSizeBytes: 0 });
    }
    return described;
  }

  async #publish(begin: () => Promise<void>): Promise<void> {
    const before = await this.requireReplaceable();
    await begin();
    // A view cannot be replaced by renaming a collection.
    for (const { database, name, type } of before) if (type === "view") await this.#drop(database, name);
    for (const [key, stagedName] of this.#stagedNames) {
      const { database } = this.#descriptions.get(key) as CollectionDescription;
      const rename = {
        renameCollection: `${database}.${stagedName}`,
        to: key,
        dropTarget: this.#replacesExisting,
        ...durable,
      };
      await this.#client.db("admin").command(rename);
    }
    for (const one of before) {
      const { database, name, type } = one;
      if (type !== "view" && !this.#descriptions.has(keyOf(one))) await this.#drop(database, name);
    }
    for (const { database, name, type, options } of this.#descriptions.values())
      if (type === "view") await this.#client.db(database).command({ create: name, ...typed(options), ...durable });
    await this.#confirm();
    await this.#connected.close();
  }

  async #confirm(): Promise<void> {
    const after = await readCatalogue(this.#client);
    const wrong = after.find((actual) => {
      const wanted = this.#descriptions.get(keyOf(actual));
      return wanted === undefined || !means(wanted, actual);
    });
    if (wrong !== undefined || after.length !== this.#descriptions.size)
      throw new Error(
        `The collections of the target are not those of the snapshot after it was put in place${wrong === undefined ? "" : ` (${keyOf(wrong)})`}; somebody else may be changing them.`,
      );
  }

  async #drop(database: string, name: string): Promise<void> {
    await this.#client
      .db(database)
      .command({ drop: name, ...durable })
      .catch((error: unknown) => {
        if (!(error instanceof MongoServerError && error.code === namespaceNotFound)) throw error;
      });
  }

  #stagedName(database: string, name: string): string {
    return this.#stagedNames.get(keyOf({ database, name })) as string;
  }
}

const namespaceNotFound = 26;

/** HostUnreachable, HostNotFound, NetworkTimeout, ShutdownInProgress, PrimarySteppedDown, SocketException, NotWritablePrimary, Interrupted..., NotPrimary..., WriteConflict, WriteConcernFailed. */
const mayPass: ReadonlySet<unknown> = new Set([
  6, 7, 89, 91, 189, 9001, 10_107, 11_600, 11_602, 13_435, 13_436, 112, 64,
]);

/** Numbers keep their types. */
function typed(bytes: Uint8Array): Document {
  return deserialize(bytes, { promoteValues: false, promoteBuffers: false, bsonRegExp: true });
}

function means(wanted: CollectionDescription, actual: CollectionDescription): boolean {
  return (
    wanted.type === actual.type &&
    sameOptions(wanted.options, actual.options) &&
    sameIndexes(wanted.indexes, actual.indexes)
  );
}

function inWordsOf(wanted: CollectionDescription, actual: CollectionDescription): CollectionDescription {
  return {
    ...wanted,
    type: actual.type,
    options: sameOptions(wanted.options, actual.options) ? wanted.options : actual.options,
    indexes: sameIndexes(wanted.indexes, actual.indexes) ? wanted.indexes : actual.indexes,
  };
}

/** 238 NotImplemented: the same at every attempt. */
function notRestorable(what: string): Error {
  return Object.assign(new Error(`${what} and cannot be restored into an external deployment.`), { code: 238 });
}
