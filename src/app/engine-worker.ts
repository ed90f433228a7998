import { setFlagsFromString } from "node:v8";
import { parentPort, workerData } from "node:worker_threads";
import { createSystemClock } from "../adapters/clock-system.ts";
import { createRandomIds } from "../adapters/ids-random.ts";
import { Peer } from "../adapters/deployment-host-embedded/peer.ts";
import type { DirectoryCalls, HostCalls, LogLevel, WorkerSettings } from "../adapters/deployment-host-embedded/protocol.ts";
import { type Engine, openEngine } from "../engine/index.ts";
import type { Log } from "../ports/log.ts";
import { type WireListener, startWireListener } from "../wire/listener.ts";

// A pattern that backtracks without end falls over to V8's linear engine, so that no query freezes the thread.
setFlagsFromString("--enable-experimental-regexp-engine-on-excessive-backtracks");

/** An engine that nobody was connected to for so long is closed; its listener stays. */
const idleMs = 60_000;

if (parentPort === null) throw new Error("this module is a worker thread's");
const settings = workerData as WorkerSettings;
const clock = createSystemClock();
const ids = createRandomIds(clock);
const randomBytes = (length: number): Uint8Array => ids.randomBytes(length);

interface Database {
  path: string;
  engine: Engine | undefined;
  listener: WireListener;
  usedMs: number;
  /** While the file is being changed, commands wait. */
  switching: Promise<void>;
}

const databases = new Map<string, Database>();
const stagings = new Map<string, Engine>();
const scans = new Map<number, AsyncIterator<Uint8Array>>();

const peer = new Peer(parentPort, (name, argument) => answer(name as keyof HostCalls, argument), () => undefined);
const line = (level: LogLevel) => (fields: object, message: string): void => peer.send({ kind: "log", level, fields: plain(fields), message });
const log: Log = { debug: line("debug"), info: line("info"), warn: line("warn"), error: line("error") };

const never = new AbortController().signal;
const write = { signal: never, durable: false };

const calls: { [Name in keyof HostCalls]: (argument: Parameters<HostCalls[Name]>[0]) => Promise<ReturnType<HostCalls[Name]>> } = {
  async start({ id, replicaSetName, path, port }) {
    const listener = await startWireListener({
      host: settings.host,
      port,
      deploymentId: id,
      replicaSetName,
      serverVersion: settings.serverVersion,
      openEngine: () => engineOf(id),
      directory: {
        findCredential: async (deploymentId, authenticationDatabase, username) =>
          (await peer.call("findCredential", { deploymentId, authenticationDatabase, username } satisfies Parameters<DirectoryCalls["findCredential"]>[0])) as ReturnType<DirectoryCalls["findCredential"]>,
      },
      systemUser: settings.systemUser,
      clock,
      ids,
      log,
    });
    databases.set(id, { path, engine: undefined, listener, usedMs: clock.monotonicMs(), switching: Promise.resolve() });
    return { port: listener.port };
  },
  async stop({ id }) {
    const database = databases.get(id);
    databases.delete(id);
    await database?.listener.close();
    await database?.engine?.close();
  },
  async switchFile({ id, path }) {
    const database = databases.get(id);
    if (database === undefined) return;
    const before = database.engine;
    database.engine = undefined;
    database.path = path;
    database.listener.closeConnections("the data was replaced by a restore");
    database.switching = before?.close() ?? Promise.resolve();
    await database.switching;
  },
  async openStaging({ key, path }) {
    stagings.set(key, openEngine({ path, clock, randomBytes }));
  },
  async stageCollection({ key, description }) {
    if (description.type !== "collection") throw new Error(`${description.database}.${description.name} is a ${description.type}, which this server does not hold`);
    await staged(key).createCollection({ database: description.database, collection: description.name }, description.options, write, description.uuid);
  },
  stageDocuments: ({ key, database, name, bytes }) => staged(key).load({ database, collection: name }, bytes),
  async stageIndexes({ key, database, name, specifications }) {
    await staged(key).createIndexes({ database, collection: name }, specifications, write);
  },
  async stagedCollections({ key }) {
    const engine = staged(key);
    const read = { signal: never };
    const found = [];
    for (const { name: database } of await engine.listDatabases(read)) {
      for (const { name, type, options, uuid } of await engine.listCollections(database, read)) {
        const namespace = { database, collection: name };
        const { documentCount, dataSizeBytes } = await engine.statistics(namespace, read);
        found.push({ database, name, type, options, uuid, indexes: await engine.listIndexes(namespace, read), documentCount, dataSizeBytes });
      }
    }
    return found;
  },
  async beginScan({ key, scanId, database, name }) {
    scans.set(scanId, staged(key).scan({ database, collection: name }, { signal: never })[Symbol.asyncIterator]());
  },
  async nextPiece({ scanId }) {
    const next = await scans.get(scanId)?.next();
    if (next !== undefined && next.done !== true) return next.value;
    scans.delete(scanId);
    return undefined;
  },
  async closeStaging({ key }) {
    const engine = stagings.get(key);
    stagings.delete(key);
    await engine?.close();
  },
  async closeAll() {
    for (const id of databases.keys()) await calls.stop({ id });
    for (const key of stagings.keys()) await calls.closeStaging({ key });
  },
};

setInterval(() => {
  const nowMs = clock.monotonicMs();
  for (const database of databases.values()) {
    if (database.listener.connectionCount() > 0) database.usedMs = nowMs;
    if (database.engine === undefined || nowMs - database.usedMs < idleMs) continue;
    const { engine } = database;
    database.engine = undefined;
    database.switching = engine.close();
  }
}, 10_000).unref();

async function answer(name: keyof HostCalls, argument: unknown): Promise<unknown> {
  const call = calls[name] as ((argument: unknown) => Promise<unknown>) | undefined;
  if (call === undefined) throw new Error(`the database thread has no call ${String(name)}`);
  return call(argument);
}

async function engineOf(id: string): Promise<Engine> {
  const database = databases.get(id);
  if (database === undefined) throw new Error("the database is being closed");
  await database.switching;
  database.usedMs = clock.monotonicMs();
  database.engine ??= openEngine({ path: database.path, clock, randomBytes });
  return database.engine;
}

function staged(key: string): Engine {
  const engine = stagings.get(key);
  if (engine === undefined) throw new Error("the restore's data file is not open");
  return engine;
}

/** Errors do not pass between threads as fields of a log line; their words do. */
function plain(fields: object): object {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, value instanceof Error ? { message: value.message, stack: value.stack } : (value as unknown)]));
}
