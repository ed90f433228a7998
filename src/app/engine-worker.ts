import { flushCompileCache } from "node:module";
import { parentPort, workerData } from "node:worker_threads";
import { createSystemClock } from "../adapters/clock-system.ts";
import { createDatabaseService } from "../adapters/deployment-host-embedded/database-service.ts";
import { Peer } from "../adapters/deployment-host-embedded/peer.ts";
import type {
  DirectoryCalls,
  HostCalls,
  LogLevel,
  WorkerSettings,
} from "../adapters/deployment-host-embedded/protocol.ts";
import { createRandomIds } from "../adapters/ids-random.ts";
import { loadEngine, openEngine } from "../engine/index.ts";
import type { Log } from "../ports/log.ts";
import { startWireListener } from "../wire/listener.ts";

// The worker thread that serves the embedded databases: the wire door, its commands and the engine, put together.

if (parentPort === null) throw new Error("this module is a worker thread's");
const { host, serverVersion, systemUser, tls, testCommands, idleMs } = workerData as WorkerSettings;
const clock = createSystemClock();
const ids = createRandomIds(clock);

const peer = new Peer({ channel: parentPort, answer: (name, argument) => answer(name, argument) });
const line =
  (level: LogLevel) =>
  (fields: object, message: string): void =>
    peer.send({ kind: "log", level, fields: withoutErrors(fields), message });
const log: Log = { debug: line("debug"), info: line("info"), warn: line("warn"), error: line("error") };

const service = createDatabaseService({
  listen: (request) =>
    startWireListener({ ...request, host, serverVersion, systemUser, tls, testCommands, clock, ids, log }),
  async warmUp() {
    await loadEngine();
    flushCompileCache();
    // What loading left behind would lie there for as long as nobody comes (flag --expose-gc, which `npm start` gives).
    globalThis.gc?.({ type: "major", execution: "sync", flavor: "last-resort" });
  },
  async openFile(path) {
    const engine = await openEngine({
      path,
      clock,
      randomBytes: (length) => ids.randomBytes(length),
      warn: (fields, message) => log.warn(fields, message),
    });
    // The engine is loaded with the first file; a thread is ended without a word, so what was compiled is kept now.
    flushCompileCache();
    return engine;
  },
  directory: {
    findCredential: async (deploymentId, authenticationDatabase, username) =>
      (await peer.call("findCredential", { deploymentId, authenticationDatabase, username })) as ReturnType<
        DirectoryCalls["findCredential"]
      >,
    list: async (deploymentId) =>
      (await peer.call("listUsers", { deploymentId })) as ReturnType<DirectoryCalls["listUsers"]>,
  },
  idleMs,
  clock,
  log,
});

async function answer(name: string, argument: unknown): Promise<unknown> {
  if (!Object.hasOwn(service.calls, name)) throw new Error(`the database thread has no call ${name}`);
  return (service.calls[name as keyof HostCalls] as (argument: unknown) => Promise<unknown>)(argument);
}

/** Errors lose their words when they cross to another thread as a field of an object. */
function withoutErrors(fields: object): object {
  const entries: readonly (readonly [string, unknown])[] = Object.entries(fields);
  return Object.fromEntries(
    entries.map(([name, value]) => [
      name,
      value instanceof Error ? { message: value.message, stack: value.stack } : value,
    ]),
  );
}
