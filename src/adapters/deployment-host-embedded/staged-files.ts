import { rm } from "node:fs/promises";
import type { Engine } from "../../engine/index.ts";
import type { CollectionDescription, CollectionTotals } from "../../ports/snapshot-repository.ts";
import { applyLoggedWrite } from "./apply-logged-write.ts";
import { fileSuffixes } from "./data-files.ts";
import type { Answerer, HostCalls } from "./protocol.ts";

interface StagedFile {
  readonly path: string;
  /** Undefined once it is closed. */
  engine: Engine | undefined;
  readonly scans: Map<number, AsyncIterator<Uint8Array>>;
}

type StagingCalls =
  | "openStaging"
  | "stageCollection"
  | "stageDocuments"
  | "stageIndexes"
  | "stageWrites"
  | "stagedCollections"
  | "beginScan"
  | "nextPiece"
  | "endScan"
  | "closeStaging"
  | "discardStaging";

const never = new AbortController().signal;
/** Nobody reads the file before it is closed and synced as a whole. */
const write = { signal: never, durable: false };

/** Data files that restores fill, in the worker thread. */
export class StagedFiles {
  readonly #openFile: (path: string) => Promise<Engine>;
  readonly #files = new Map<string, StagedFile>();

  constructor(openFile: (path: string) => Promise<Engine>) {
    this.#openFile = openFile;
  }

  /** The path is somebody else's now: whoever staged it can no longer delete it. */
  release(path: string): void {
    for (const [key, file] of this.#files) if (file.path === path) this.#files.delete(key);
  }

  /** Whether anything is being staged. */
  get inUse(): boolean {
    return [...this.#files.values()].some(({ engine }) => engine !== undefined);
  }

  async closeAll(): Promise<void> {
    for (const file of this.#files.values()) await close(file).catch(() => undefined);
    this.#files.clear();
  }

  readonly calls: Pick<Answerer<HostCalls>, StagingCalls> = {
    openStaging: async ({ key, path }) => {
      // An earlier attempt at the same restore, which has lost its job: its calls fail from here on.
      const earlier = [...this.#files.values()].filter((file) => file.path === path);
      this.release(path);
      for (const file of earlier) await close(file).catch(() => undefined);
      await deleteFile(path);
      this.#files.set(key, { path, engine: await this.#openFile(path), scans: new Map() });
    },
    stageCollection: async ({ key, description: { database, name, type, options, uuid } }) => {
      const engine = this.#open(key);
      if (type === "timeseries") throw notHeld(`${database}.${name} is a ${type}, which this server does not hold.`);
      await engine.createCollection({ database, collection: name }, options, write, uuid);
    },
    stageDocuments: ({ key, database, name, bytes }) => this.#open(key).load({ database, collection: name }, bytes),
    stageIndexes: async ({ key, database, name, specifications }) => {
      await this.#open(key).createIndexes({ database, collection: name }, specifications, write);
    },
    stageWrites: async ({ key, writes }) => {
      for (const logged of writes) await applyLoggedWrite(this.#open(key), logged, write);
    },
    stagedCollections: async ({ key }) => describeAll(this.#open(key)),
    beginScan: async ({ key, scanId, database, name }) => {
      const pieces = this.#open(key).scan({ database, collection: name }, { signal: never });
      this.#files.get(key)?.scans.set(scanId, pieces[Symbol.asyncIterator]());
    },
    nextPiece: async ({ key, scanId }) => {
      this.#open(key);
      const next = await this.#files.get(key)?.scans.get(scanId)?.next();
      return next === undefined || next.done === true ? undefined : next.value;
    },
    endScan: async ({ key, scanId }) => {
      const { scans } = this.#files.get(key) ?? {};
      await scans?.get(scanId)?.return?.();
      scans?.delete(scanId);
    },
    closeStaging: async ({ key }) => {
      this.#open(key);
      await close(this.#files.get(key) as StagedFile);
    },
    discardStaging: async ({ key }) => {
      const file = this.#files.get(key);
      this.#files.delete(key);
      if (file === undefined) return;
      await close(file).catch(() => undefined);
      await deleteFile(file.path);
    },
  };

  #open(key: string): Engine {
    const engine = this.#files.get(key)?.engine;
    if (engine === undefined) throw new Error("the restore's data file is not open any more");
    return engine;
  }
}

async function describeAll(engine: Engine): Promise<(CollectionDescription & CollectionTotals)[]> {
  const read = { signal: never };
  const found: (CollectionDescription & CollectionTotals)[] = [];
  for (const { name: database } of await engine.listDatabases(read)) {
    // What is the server's own is in no snapshot.
    if (database === "local") continue;
    for (const { name, type, options, uuid } of await engine.listCollections(database, read)) {
      const namespace = { database, collection: name };
      if (type === "view") {
        found.push({ database, name, type, options, indexes: [], documentCount: 0, dataSizeBytes: 0 });
        continue;
      }
      const { documentCount, dataSizeBytes } = await engine.statistics(namespace, read);
      found.push({
        database,
        name,
        type,
        options,
        uuid,
        indexes: await engine.listIndexes(namespace, read),
        documentCount,
        dataSizeBytes,
      });
    }
  }
  return found;
}

async function close(file: StagedFile): Promise<void> {
  const { engine } = file;
  file.engine = undefined;
  for (const scan of file.scans.values()) await scan.return?.();
  file.scans.clear();
  await engine?.close();
}

async function deleteFile(path: string): Promise<void> {
  for (const suffix of fileSuffixes) await rm(`${path}${suffix}`, { force: true });
}

/** 238 NotImplemented: the same at every attempt. */
function notHeld(message: string): Error {
  return Object.assign(new Error(message), { code: 238 });
}
