import type { Clock } from "../../ports/clock.ts";
import type { DatabaseUserDirectory } from "../../ports/database-user-directory.ts";
import type { DeploymentAddress, DeploymentHost, HostedDeployment } from "../../ports/deployment-host.ts";
import type { Ids } from "../../ports/ids.ts";
import type { Log } from "../../ports/log.ts";
import { DataFiles } from "./data-files.ts";
import { EngineThread } from "./engine-thread.ts";
import type { Caller, DirectoryCalls, HostCalls } from "./protocol.ts";
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
  /** The worker thread's module: the one that sees wire, commands and engine together. */
  readonly workerUrl: URL;
}

interface Served {
  readonly deployment: HostedDeployment;
  readonly address: DeploymentAddress;
  generation: number;
}

/** Runs the databases of deployments in one worker thread of this process. */
export function createEmbeddedDeploymentHost(options: EmbeddedHostOptions): DeploymentHost {
  const { log, ids, clock, directory, serverVersion } = options;
  const files = new DataFiles(options.dataFolder);
  const systemUser = createSystemUser(ids);
  const served = new Map<string, Served>();
  const starting = new Map<string, Promise<DeploymentAddress>>();
  const thread = new EngineThread({
    workerUrl: options.workerUrl,
    settings: { host: options.host, serverVersion, systemUser: systemUser.credential },
    answer: answerFrom(directory),
    needed: () => served.size > 0,
    restore: serveAgain,
    clock,
    log,
  });

  return {
    serverVersion,
    async start(deployment) {
      const known = served.get(deployment.id);
      if (known !== undefined) return known.address;
      const begun = starting.get(deployment.id) ?? begin(deployment).finally(() => starting.delete(deployment.id));
      starting.set(deployment.id, begun);
      return begun;
    },
    async stop(deploymentId) {
      if (served.delete(deploymentId)) await thread.call("stop", { id: deploymentId });
    },
    async remove(deploymentId) {
      // Whatever the thread says: it serves this deployment no more, and the files go.
      const stopped = served.delete(deploymentId) ? thread.call("stop", { id: deploymentId }) : Promise.resolve();
      await stopped.catch((error: unknown) =>
        log.warn({ err: error, deploymentId }, "a database was not closed in order before its removal"),
      );
      await files.deleteAll(deploymentId);
    },
    async systemConnectionString(deploymentId) {
      const found = served.get(deploymentId);
      if (found === undefined) throw new Error("The database is not running.");
      const { host, port } = found.address;
      return `mongodb://${systemUser.username}:${systemUser.password}@${host}:${port}/?authSource=admin&authMechanism=SCRAM-SHA-256&directConnection=true`;
    },
    async openStaging(deploymentId, generation) {
      if (served.get(deploymentId)?.generation === generation)
        throw new Error("the generation in use cannot be written anew");
      await files.prepare(deploymentId);
      return createStaging({
        call: thread.call,
        key: ids.uuid(),
        path: files.pathOf(deploymentId, generation),
        makeDurable: () => files.makeDurable(deploymentId, generation),
      });
    },
    async switchGeneration(deploymentId, generation) {
      const found = served.get(deploymentId);
      if (found === undefined || found.generation === generation) return;
      // First, so that a thread that dies now comes back with the generation that is the true one already.
      found.generation = generation;
      try {
        await thread.call("switchFile", { id: deploymentId, path: files.pathOf(deploymentId, generation) });
      } catch (error) {
        log.warn({ err: error, deploymentId }, "a database did not change to its restored data at once");
        await thread.restarted();
      }
      await files.deleteOthers(deploymentId, generation);
    },
    close: () => thread.close(),
  };

  async function begin(deployment: HostedDeployment): Promise<DeploymentAddress> {
    const { id, generation } = deployment;
    await files.prepare(id);
    const present = await files.deleteOthers(id, generation);
    if (!present) log.debug({ deploymentId: id, generation }, "a database begins without a data file");
    const address = await startOnFreePort(deployment);
    served.set(id, { deployment, address, generation });
    return address;
  }

  /** The former port when it is free, else the next free one of the range that no other deployment has. */
  async function startOnFreePort({ id, name, generation, port: former }: HostedDeployment): Promise<DeploymentAddress> {
    const { first, last } = options.ports;
    const taken = new Set([...served.values()].map(({ address }) => address.port));
    const range = Array.from({ length: last - first + 1 }, (_, index) => first + index);
    const candidates = former === undefined ? range : [former, ...range.filter((port) => port !== former)];
    const replicaSetName = `telamon-${id.slice(-6)}`;
    for (const port of candidates) {
      if (taken.has(port)) continue;
      try {
        await thread.call("start", { id, replicaSetName, path: files.pathOf(id, generation), port });
        return { host: loopbackOf(options.host), port, replicaSetName };
      } catch (error) {
        if (!["EADDRINUSE", "EACCES"].includes(String((error as { readonly code?: unknown }).code))) throw error;
      }
    }
    throw new Error(`No port of ${first}-${last} is free for the database of ${name}.`);
  }

  /** A thread that died took all databases with it; what was durable is served again under the same addresses. */
  async function serveAgain(call: Caller<HostCalls>): Promise<void> {
    for (const { deployment, address, generation } of served.values()) {
      const { id } = deployment;
      const path = files.pathOf(id, generation);
      try {
        await call("start", { id, replicaSetName: address.replicaSetName, path, port: address.port });
      } catch (error) {
        log.error({ err: error, deploymentId: id }, "a database did not start again");
      }
    }
  }
}

function answerFrom(directory: DatabaseUserDirectory): (name: string, argument: unknown) => Promise<unknown> {
  return async (name, argument) => {
    if (name !== "findCredential") throw new Error(`the database thread asked for ${name}, which nobody answers`);
    const { deploymentId, authenticationDatabase, username } = argument as Parameters<
      DirectoryCalls["findCredential"]
    >[0];
    return directory.findCredential(deploymentId, authenticationDatabase, username);
  };
}

/** Where this process reaches what listens on `host`. */
function loopbackOf(host: string): string {
  if (host === "0.0.0.0" || host === "::") return "127.0.0.1";
  return host.includes(":") ? `[${host}]` : host;
}
