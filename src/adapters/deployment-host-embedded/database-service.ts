import type { DatabaseUserDirectory } from "../../ports/database-user-directory.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import type { Engine } from "../../engine/index.ts";
import type { Arrival } from "./door.ts";
import type { Answerer, HostCalls } from "./protocol.ts";
import { StagedFiles } from "./staged-files.ts";

/** What the service needs of a listener for MongoDB clients. */
export interface DatabaseListener {
  readonly port: number;
  connectionCount(): number;
  /** The client behind the connection from this local port is another. */
  introduce(port: number, arrival: Arrival): void;
  /** Ends every connection and cursor; clients that reconnect are served again. */
  closeConnections(reason: string): void;
  close(): Promise<void>;
}

export interface ListenerRequest {
  readonly deploymentId: string;
  readonly replicaSetName: string;
  readonly port: number;
  /** Asked at every command: gives the engine of the file that is served now. */
  readonly openEngine: () => Promise<Engine>;
  readonly directory: DatabaseUserDirectory;
}

export interface DatabaseServiceOptions {
  /** Throws an error whose `code` is `EADDRINUSE` when the port is taken. */
  readonly listen: (request: ListenerRequest) => Promise<DatabaseListener>;
  /** Opens a data file, making it when it is missing. */
  readonly openFile: (path: string) => Promise<Engine>;
  /** Loads what opening a file needs, without opening any. */
  readonly warmUp: () => Promise<void>;
  readonly directory: DatabaseUserDirectory;
  /** A database that nobody was connected to for so long is stopped when asked to rest. */
  readonly idleMs: number;
  readonly clock: Clock;
  readonly log: Log;
}

/** How often documents that expired are deleted. */
const expiryIntervalMs = 60_000;

/** The worker thread's side of the host: the databases that are awake. */
export interface DatabaseService {
  readonly calls: Answerer<HostCalls>;
}

interface Database {
  readonly listener: DatabaseListener;
  path: string;
  /** Undefined until a command needs it, and again once it is being closed. */
  engine: Promise<Engine> | undefined;
  usedMs: number;
  /** Aborted when the engine is closed. */
  open: AbortController;
  /** Whatever closes an engine, or holds its place: no other is opened before. */
  closing: Promise<void>;
  /** Lets those who wait for a file go on; undefined when it is not held. */
  letGo: (() => void) | undefined;
}

export function createDatabaseService(options: DatabaseServiceOptions): DatabaseService {
  const { clock, log, openFile, idleMs } = options;
  const databases = new Map<string, Database>();
  const staged = new StagedFiles(openFile);

  const stop = async (id: string): Promise<void> => {
    const database = databases.get(id);
    databases.delete(id);
    if (database === undefined) return;
    database.letGo?.();
    await database.listener.close();
    await closeEngine(database);
  };

  return {
    calls: {
      async start({ id, replicaSetName, path, port }) {
        const openEngine = (): Promise<Engine> => engineOf(id);
        const listener = await options.listen({
          deploymentId: id,
          replicaSetName,
          port,
          openEngine,
          directory: options.directory,
        });
        databases.set(id, {
          path,
          listener,
          engine: undefined,
          usedMs: clock.monotonicMs(),
          open: new AbortController(),
          closing: Promise.resolve(),
          letGo: undefined,
        });
        return { port: listener.port };
      },
      stop: ({ id }) => stop(id),
      ping: async () => undefined,
      warmUp: () => options.warmUp(),
      introduce: async ({ id, port, arrival }) => databases.get(id)?.listener.introduce(port, arrival),
      async rest() {
        const nowMs = clock.monotonicMs();
        const stopped: string[] = [];
        for (const [id, database] of databases) {
          if (database.listener.connectionCount() > 0) database.usedMs = nowMs;
          if (nowMs - database.usedMs < idleMs) continue;
          stopped.push(id);
          await stop(id).catch((error: unknown) =>
            log.error({ err: error, deploymentId: id }, "an idle database was not closed in order"),
          );
        }
        return { stopped, inUse: databases.size > 0 || staged.inUse };
      },
      async holdFile({ id }) {
        const database = databases.get(id);
        if (database !== undefined) await hold(database);
      },
      async switchFile({ id, path }) {
        staged.release(path);
        const database = databases.get(id);
        if (database === undefined) return;
        database.path = path;
        const closed = database.letGo === undefined ? hold(database) : undefined;
        database.letGo?.();
        database.letGo = undefined;
        await closed;
      },
      ...staged.calls,
      async closeAll() {
        for (const id of databases.keys())
          await stop(id).catch((error: unknown) =>
            log.error({ err: error, deploymentId: id }, "a database was not closed in order"),
          );
        await staged.closeAll();
      },
    },
  };

  /** The engine of the true file, opened when it is not. */
  async function engineOf(id: string): Promise<Engine> {
    const database = databases.get(id);
    if (database === undefined) throw new Error("the database is being closed");
    for (let waited: Promise<void> | undefined; waited !== database.closing;) {
      waited = database.closing;
      await waited;
    }
    if (databases.get(id) !== database) throw new Error("the database is being closed");
    database.usedMs = clock.monotonicMs();
    database.engine ??= open(id, database);
    return database.engine;
  }

  function open(id: string, database: Database): Promise<Engine> {
    const opening = openFile(database.path);
    const { signal } = (database.open = new AbortController());
    opening.then(
      (engine) => keepExpiring(id, engine, signal),
      () => {
        // Whoever asks next tries again.
        if (database.engine === opening) database.engine = undefined;
      },
    );
    return opening;
  }

  /** Deletes what expired while the file was closed, and then every minute what expires (manual, "TTL Indexes"), until the engine is closed. */
  async function keepExpiring(id: string, engine: Engine, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await engine.expireDocuments().catch((error: unknown) => {
        // A file that is closed in the middle of it loses nothing: what is over is deleted after the next opening.
        if (!signal.aborted) log.error({ err: error, deploymentId: id }, "expired documents were not deleted");
      });
      await clock.sleep(expiryIntervalMs, signal).catch(() => undefined);
    }
  }
}

/** Has whoever comes wait until the file is let go of, closes the engine and ends what is connected: no cursor of the old file is left, and who reconnects gets the new one. */
function hold(database: Database): Promise<void> {
  const closed = closeEngine(database);
  const held = Promise.withResolvers<void>();
  database.letGo = held.resolve;
  database.closing = Promise.all([database.closing, held.promise]).then(() => undefined);
  database.listener.closeConnections("the data was replaced by a restore");
  return closed;
}

function closeEngine(database: Database): Promise<void> {
  const { engine } = database;
  if (engine === undefined) return database.closing;
  database.engine = undefined;
  database.open.abort();
  const closed = engine.then(
    (opened) => opened.close(),
    () => undefined,
  );
  // Whoever waits to open the file must not fail for what closing it met; whoever closes it is told.
  database.closing = closed.catch(() => undefined);
  return closed;
}
