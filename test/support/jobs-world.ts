import { setImmediate as nextTurn } from "node:timers/promises";
import { createMemoryBlobStore } from "../../src/adapters/blob-memory/memory-blob-store.ts";
import { openBackupStore } from "../../src/backup-store/index.ts";
import type { DeploymentHost, HostedDeployment, RestoreStaging } from "../../src/ports/deployment-host.ts";
import type { DeploymentSources } from "../../src/ports/deployment-sources.ts";
import type { ExternalRestores } from "../../src/ports/external-restore.ts";
import type { Log } from "../../src/ports/log.ts";
import type {
  CollectionDescription,
  CollectionTotals,
  SnapshotRepository,
} from "../../src/ports/snapshot-repository.ts";
import type { SnapshotSource, SourceReading } from "../../src/ports/snapshot-source.ts";
import { createIncrementTally, type IncrementTally } from "../../src/domain/backups/increment-tally.ts";
import type { IncrementCheckEvery } from "../../src/jobs/increment-plan.ts";
import { createDomainWorld, type DomainWorld } from "./domain-world.ts";

/** Calls by name, to be replaced by ones that fail. */
export interface Faults {
  /** Throws when the call of that name is to fail. */
  at: (call: string) => void | Promise<void>;
}

/** A document `{_id: int32, text: string}`. */
export function documentOf(id: number, text: string): Uint8Array {
  const words = Buffer.from(text);
  const bytes = Buffer.alloc(4 + 9 + 6 + 4 + words.length + 1 + 1);
  bytes.writeInt32LE(bytes.length, 0);
  bytes.write("\x10_id\0", 4, "latin1");
  bytes.writeInt32LE(id, 9);
  bytes.write("\x02text\0", 13, "latin1");
  bytes.writeInt32LE(words.length + 1, 19);
  words.copy(bytes, 23);
  return bytes;
}

const emptyDocument = Uint8Array.of(5, 0, 0, 0, 0);

export function describe(name: string, changes: Partial<CollectionDescription> = {}): CollectionDescription {
  return {
    database: "shop",
    name,
    type: "collection",
    uuid: new Uint8Array(16),
    options: emptyDocument,
    indexes: [Uint8Array.of(6, 0, 0, 0, 1, 0)],
    ...changes,
  };
}

export interface StagedCollection {
  description: CollectionDescription;
  documents: Uint8Array[];
}

/** A host that only remembers, whose calls may fail. */
export interface RememberingHost extends DeploymentHost {
  readonly served: Map<
    string,
    { deployment: HostedDeployment; generation: number; collections: ReadonlyMap<string, StagedCollection> }
  >;
  readonly aborted: string[];
  readonly removed: string[];
  /** What is staged may be spoiled before it is read back. */
  spoil: (collections: Map<string, StagedCollection>) => void;
}

export function createRememberingHost(faults: Faults): RememberingHost {
  const served: RememberingHost["served"] = new Map();
  const finished = new Map<string, ReadonlyMap<string, StagedCollection>>();
  const host: RememberingHost = {
    served,
    aborted: [],
    removed: [],
    spoil: () => undefined,
    serverVersion: "7.0.0",
    async start(deployment) {
      await faults.at("start");
      served.set(deployment.id, { deployment, generation: deployment.generation, collections: new Map() });
      return { host: "127.0.0.1", port: deployment.port ?? 27_100, replicaSetName: "set" };
    },
    async stop(id) {
      served.delete(id);
    },
    async remove(id) {
      await faults.at("remove");
      served.delete(id);
      host.removed.push(id);
    },
    systemConnectionString: async (id) => `mongodb://system:secret@127.0.0.1:1/${id}`,
    async openStaging(id, generation) {
      await faults.at("openStaging");
      const collections = new Map<string, StagedCollection>();
      const find = (name: string): StagedCollection => collections.get(name) as StagedCollection;
      const staging: RestoreStaging = {
        async createCollection(description) {
          await faults.at("createCollection");
          collections.set(description.name, { description: { ...description, indexes: [] }, documents: [] });
        },
        async insertDocuments(_database, name, documents) {
          await faults.at("insertDocuments");
          find(name).documents.push(Uint8Array.from(documents));
        },
        async createIndexes(_database, name, indexes) {
          await faults.at("createIndexes");
          find(name).description = { ...find(name).description, indexes };
        },
        applyWrites: () => Promise.reject(new Error("nothing here reads a log")),
        async collections() {
          await faults.at("collections");
          host.spoil(collections);
          return [...collections.values()].map(({ description, documents }) => ({
            ...description,
            ...totalsOf(documents),
          }));
        },
        async *documents(_database, name) {
          await faults.at("documents");
          yield* find(name).documents;
        },
        async finish() {
          await faults.at("finish");
          finished.set(`${id} ${generation}`, collections);
        },
        async abort() {
          host.aborted.push(`${id} ${generation}`);
        },
      };
      return staging;
    },
    async switchGeneration(id, generation, decide) {
      if (!(await decide())) return false;
      await faults.at("switchGeneration");
      const { deployment } = served.get(id) as { deployment: HostedDeployment };
      served.set(id, { deployment, generation, collections: finished.get(`${id} ${generation}`) ?? new Map() });
      return true;
    },
    close: async () => undefined,
  };
  return host;
}

function totalsOf(pieces: readonly Uint8Array[]): CollectionTotals {
  const bytes = Buffer.concat(pieces);
  let documentCount = 0;
  for (let position = 0; position < bytes.length; position += bytes.readInt32LE(position)) documentCount += 1;
  return { documentCount, dataSizeBytes: bytes.length };
}

/** Domain, metadata and store as they are; source and host that remember and fail as told. */
export interface JobsWorld extends DomainWorld {
  readonly host: RememberingHost;
  readonly source: SnapshotSource;
  readonly sources: DeploymentSources;
  readonly externalRestores: ExternalRestores;
  readonly repository: SnapshotRepository;
  readonly faults: Faults;
  /** What the source holds, by collection. */
  readonly data: Map<string, { description: CollectionDescription; documents: Uint8Array[] }>;
  readonly incrementCheckEvery: IncrementCheckEvery;
  readonly increments: IncrementTally;
  readonly log: Log;
  /** Everything that was logged, as text. */
  readonly logged: string[];
}

export async function createJobsWorld(): Promise<JobsWorld> {
  const domain = await createDomainWorld();
  const faults: Faults = { at: () => undefined };
  const data: JobsWorld["data"] = new Map();
  const logged: string[] = [];
  const line = (fields: object, message: string): void => void logged.push(`${message} ${JSON.stringify(fields)}`);
  const randomBytes = (length: number): Uint8Array => domain.ids.randomBytes(length);
  const source: SnapshotSource = {
    async open(_connectionString, signal) {
      await faults.at("open");
      const reading: SourceReading = {
        facts: {
          consistency: "exact",
          clusterTime: { seconds: 1, increment: 2 },
          serverVersion: "7.0.0",
          capturedAtMs: domain.clock.nowMs(),
        },
        collections: [...data.values()].map(({ description }) => description),
        async *documents(_database, name) {
          for (const document of data.get(name)?.documents ?? []) {
            await faults.at("read");
            signal.throwIfAborted();
            yield document;
          }
        },
        changesSince: async () => ({ unknown: "this source has no log" }),
        changedDocuments: () => {
          throw new Error("this source has no log");
        },
        confirmCatalogue: async () => faults.at("confirmCatalogue"),
        close: async () => faults.at("close"),
      };
      return reading;
    },
  };
  return {
    ...domain,
    faults,
    data,
    logged,
    log: { debug: line, info: line, warn: line, error: line },
    host: createRememberingHost(faults),
    source,
    sources: sourcesOf(source),
    externalRestores: { open: () => Promise.reject(new Error("nothing here runs elsewhere")) },
    incrementCheckEvery: "never",
    increments: createIncrementTally(),
    repository: await openBackupStore({ blobs: createMemoryBlobStore(), secret: new Uint8Array(32), randomBytes }),
  };
}

/** Every deployment is read by this source. */
export function sourcesOf(source: SnapshotSource): DeploymentSources {
  return { of: async ({ id }) => ({ source, connectionString: `mongodb://system:secret@127.0.0.1:1/${id}` }) };
}

/** Lets everything that waits for no clock come to rest. */
export async function atRest(): Promise<void> {
  for (let count = 0; count < 50; count += 1) await nextTurn();
}
