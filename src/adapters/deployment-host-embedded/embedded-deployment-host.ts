import type { Clock } from "../../ports/clock.ts";
import type { DatabaseUserDirectory } from "../../ports/database-user-directory.ts";
import type { DeploymentAddress, DeploymentHost, HostedDeployment } from "../../ports/deployment-host.ts";
import type { Ids } from "../../ports/ids.ts";
import type { Log } from "../../ports/log.ts";
import { DataFiles } from "./data-files.ts";
import { EngineThread } from "./engine-thread.ts";
import type { Answerer, DirectoryCalls, WorkerSettings } from "./protocol.ts";
import { ServedDatabases } from "./served-databases.ts";
import { createStaging } from "./staging.ts";
import { createSystemUser } from "./system-user.ts";

export interface EmbeddedHostOptions {
  /** Folder for data files: `<id>/<generation>.sqlite` below it. */
  readonly dataFolder: string;
  readonly host: string;
  readonly ports: { readonly first: number; readonly last: number };
  readonly serverVersion: string;
  readonly directory: DatabaseUserDirectory;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  /** Certificate chain and key (PEM) that the databases speak TLS with; plain when left out. */
  readonly tls?: WorkerSettings["tls"];
  /** Whether the databases have the commands for tests of clients; not when left out. */
  readonly testCommands?: boolean;
  /** A database that nobody was connected to for so long is put to sleep; a minute when left out. */
  readonly idleMs?: number;
  /** While there are databases and all of them sleep, a thread is kept ready for the first that wakes, made so long after there was none; none is when left out. */
  readonly spareThreadDelayMs?: number;
  /** The worker thread's module: the one that sees wire, commands and engine together. */
  readonly workerUrl: URL;
}

const defaultIdleMs = 60_000;
/** How often, at the least, is looked for databases that nobody uses. */
const restEveryMs = 10_000;

/** Runs the databases of deployments in one worker thread of this process, which is there only while some database is used; but for a spare one, when asked for. */
export function createEmbeddedDeploymentHost(options: EmbeddedHostOptions): DeploymentHost {
  const { log, ids, clock, directory, serverVersion, idleMs = defaultIdleMs } = options;
  const files = new DataFiles(options.dataFolder);
  const systemUser = createSystemUser(ids);
  const starting = new Map<string, Promise<DeploymentAddress>>();
  const thread = new EngineThread({
    workerUrl: options.workerUrl,
    settings: {
      host: options.host,
      serverVersion,
      systemUser: systemUser.credential,
      tls: options.tls,
      testCommands: options.testCommands ?? false,
      idleMs,
    },
    answer: answerFrom(directory),
    onDeath: () => databases.threadDied(),
    clock,
    log,
  });
  const databases = new ServedDatabases({
    thread,
    host: options.host,
    pathOf: (id, generation) => files.pathOf(id, generation),
    spareThreadDelayMs: options.spareThreadDelayMs,
    clock,
    log,
  });
  const resting = setInterval(
    () => databases.rest().catch((error: unknown) => log.warn({ err: error }, "idle databases were not put to sleep")),
    Math.min(restEveryMs, idleMs),
  ).unref();

  return {
    serverVersion,
    async start(deployment) {
      const known = databases.addressOf(deployment.id);
      if (known !== undefined) return known;
      const begun = starting.get(deployment.id) ?? begin(deployment).finally(() => starting.delete(deployment.id));
      starting.set(deployment.id, begun);
      return begun;
    },
    stop: (deploymentId) => databases.remove(deploymentId),
    async remove(deploymentId) {
      // Whatever the thread says: it serves this deployment no more, and the files go.
      await databases
        .remove(deploymentId)
        .catch((error: unknown) =>
          log.warn({ err: error, deploymentId }, "a database was not closed in order before its removal"),
        );
      await files.deleteAll(deploymentId);
    },
    async systemConnectionString(deploymentId) {
      const address = databases.addressOf(deploymentId);
      if (address === undefined) throw new Error("The database is not running.");
      const { host, port } = address;
      // SCRAM proves to this end that the other one knows the password, which only this process does; whom the certificate names adds nothing to it.
      const tls = options.tls === undefined ? "" : "&tls=true&tlsInsecure=true";
      return `mongodb://${systemUser.username}:${systemUser.password}@${host}:${port}/?authSource=admin&authMechanism=SCRAM-SHA-256&directConnection=true${tls}`;
    },
    async openStaging(deploymentId, generation) {
      if (databases.generationOf(deploymentId) === generation)
        throw new Error("the generation in use cannot be written anew");
      await files.prepare(deploymentId);
      return createStaging({
        call: thread.call,
        key: ids.uuid(),
        path: files.pathOf(deploymentId, generation),
        makeDurable: () => files.makeDurable(deploymentId, generation),
      });
    },
    async switchGeneration(deploymentId, generation, decide) {
      const before = databases.generationOf(deploymentId);
      if (before === undefined || before === generation) return decide();
      const isSwitched = await databases.switchTo(deploymentId, generation, decide);
      if (isSwitched) await files.deleteOthers(deploymentId, generation);
      return isSwitched;
    },
    async close() {
      clearInterval(resting);
      databases.close();
      await thread.close();
    },
  };

  async function begin(deployment: HostedDeployment): Promise<DeploymentAddress> {
    const { id, generation } = deployment;
    await files.prepare(id);
    const present = await files.deleteOthers(id, generation);
    if (!present) log.debug({ deploymentId: id, generation }, "a database begins without a data file");
    return startOnFreePort(deployment);
  }

  /** The former port when it is free, else the next free one of the range that no other deployment has. */
  async function startOnFreePort(deployment: HostedDeployment): Promise<DeploymentAddress> {
    const { id, name, port: former } = deployment;
    const { first, last } = options.ports;
    const taken = databases.ports();
    const range = Array.from({ length: last - first + 1 }, (_, index) => first + index);
    const candidates = former === undefined ? range : [former, ...range.filter((port) => port !== former)];
    const host = loopbackOf(options.host);
    for (const port of candidates) {
      if (taken.has(port)) continue;
      const address = { host, port, replicaSetName: `telamon-${id.slice(-6)}` };
      try {
        await databases.add(deployment, address);
        return address;
      } catch (error) {
        if (!["EADDRINUSE", "EACCES"].includes(String((error as { readonly code?: unknown }).code))) throw error;
      }
    }
    throw new Error(`No port of ${first}-${last} is free for the database of ${name}.`);
  }
}

function answerFrom(directory: DatabaseUserDirectory): (name: string, argument: unknown) => Promise<unknown> {
  const answers: Answerer<DirectoryCalls> = {
    findCredential: ({ deploymentId, authenticationDatabase, username }) =>
      directory.findCredential(deploymentId, authenticationDatabase, username),
    listUsers: ({ deploymentId }) => directory.list(deploymentId),
  };
  return async (name, argument) => {
    if (!Object.hasOwn(answers, name)) throw new Error(`the database thread asked for ${name}, which nobody answers`);
    return (answers[name as keyof DirectoryCalls] as (argument: unknown) => Promise<unknown>)(argument);
  };
}

/** Where this process reaches what listens on `host`. */
function loopbackOf(host: string): string {
  if (host === "0.0.0.0" || host === "::") return "127.0.0.1";
  return host.includes(":") ? `[${host}]` : host;
}
