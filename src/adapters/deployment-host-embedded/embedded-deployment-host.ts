import { createHash, createHmac, pbkdf2Sync } from "node:crypto";
import { mkdir, open, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import type { DatabaseUserCredential, DatabaseUserDirectory } from "../../ports/database-user-directory.ts";
import type { DeploymentAddress, DeploymentHost, HostedDeployment, RestoreStaging } from "../../ports/deployment-host.ts";
import type { Ids } from "../../ports/ids.ts";
import type { Log } from "../../ports/log.ts";
import { Peer } from "./peer.ts";
import type { DirectoryCalls, HostCalls, WorkerSettings } from "./protocol.ts";
import { createStaging } from "./staging.ts";

export interface EmbeddedHostOptions {
  /** Folder for data files: `<id>/<generation>.sqlite` below it. */
  readonly dataFolder: string;
  readonly host: string;
  readonly ports: { readonly first: number; readonly last: number };
  readonly serverVersion: string;
  readonly directory: DatabaseUserDirectory;
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

const systemUsername = "__telamon_system";
const systemRoleName = "__telamon_system";

/** A call to the worker, by the name and types of `HostCalls`. */
export type CallHost = <Name extends keyof HostCalls>(name: Name, argument: Parameters<HostCalls[Name]>[0]) => Promise<ReturnType<HostCalls[Name]>>;

/** Runs the databases of deployments in one worker thread of this process. */
export function createEmbeddedDeploymentHost(options: EmbeddedHostOptions): DeploymentHost {
  const { log, ids } = options;
  const systemPassword = Buffer.from(ids.randomBytes(24)).toString("base64url");
  const served = new Map<string, Served>();
  let worker: { readonly thread: Worker; readonly peer: Peer } | undefined;
  let closed = false;

  const call: CallHost = async (name, argument) => (await running().peer.call(name, argument)) as never;
  const fileOf = (id: string, generation: number): string => join(options.dataFolder, id, `${generation}.sqlite`);

  return {
    serverVersion: options.serverVersion,
    async start(deployment) {
      const known = served.get(deployment.id);
      if (known !== undefined) return known.address;
      await mkdir(join(options.dataFolder, deployment.id), { recursive: true, mode: 0o700 });
      await deleteOthers(deployment.id, deployment.generation);
      const address = await startOnFreePort(deployment);
      served.set(deployment.id, { deployment, address, generation: deployment.generation });
      return address;
    },
    async stop(deploymentId) {
      if (served.delete(deploymentId)) await call("stop", { id: deploymentId });
    },
    async remove(deploymentId) {
      if (served.delete(deploymentId)) await call("stop", { id: deploymentId });
      await rm(join(options.dataFolder, deploymentId), { recursive: true, force: true });
    },
    async systemConnectionString(deploymentId) {
      const found = served.get(deploymentId);
      if (found === undefined) throw new Error(`the database of deployment ${deploymentId} is not running`);
      const { host, port, replicaSetName } = found.address;
      return `mongodb://${systemUsername}:${systemPassword}@${host}:${port}/?authSource=admin&replicaSet=${replicaSetName}`;
    },
    openStaging: (deploymentId, generation): Promise<RestoreStaging> => createStaging(call, deploymentId, fileOf(deploymentId, generation)),
    async switchGeneration(deploymentId, generation) {
      const found = served.get(deploymentId);
      if (found === undefined || found.generation === generation) return;
      await call("switchFile", { id: deploymentId, path: fileOf(deploymentId, generation) });
      found.generation = generation;
      await deleteOthers(deploymentId, generation);
    },
    async close() {
      closed = true;
      if (worker === undefined) return;
      await worker.peer.call("closeAll", {}).catch(() => undefined);
      await worker.thread.terminate();
    },
  };

  /** The former port when it is free, else the next free one of the range that no other deployment has. */
  async function startOnFreePort(deployment: HostedDeployment): Promise<DeploymentAddress> {
    const { first, last } = options.ports;
    const taken = new Set([...served.values()].map(({ address }) => address.port));
    const range = Array.from({ length: last - first + 1 }, (_, index) => first + index);
    const candidates = [...(deployment.port === undefined ? [] : [deployment.port]), ...range.filter((port) => port !== deployment.port)];
    const replicaSetName = `telamon-${deployment.id.slice(-6)}`;
    for (const port of candidates) {
      if (taken.has(port)) continue;
      try {
        await call("start", { id: deployment.id, replicaSetName, path: fileOf(deployment.id, deployment.generation), port });
        return { host: shownHost(options.host), port, replicaSetName };
      } catch (error) {
        if (!["EADDRINUSE", "EACCES"].includes((error as { code?: string }).code ?? "")) throw error;
      }
    }
    throw new Error(`no port of ${first}-${last} is free for the database of ${deployment.name}`);
  }

  /** Files of generations that are not the true one: left by a restore that did not get to its end, or replaced by one that did. */
  async function deleteOthers(deploymentId: string, generation: number): Promise<void> {
    const folder = join(options.dataFolder, deploymentId);
    for (const name of await readdir(folder)) {
      if (!name.startsWith(`${generation}.sqlite`)) await rm(join(folder, name), { force: true });
    }
    await using handle = await open(folder, "r");
    await handle.sync();
  }

  function running(): { readonly thread: Worker; readonly peer: Peer } {
    if (worker !== undefined) return worker;
    if (closed) throw new Error("the databases are being closed");
    const settings: WorkerSettings = { host: options.host, serverVersion: options.serverVersion, systemUser: systemCredential() };
    const thread = new Worker(options.workerUrl, { workerData: settings, name: "telamon-engine" });
    const peer = new Peer(thread, answer, ({ level, fields, message }) => log[level](fields, message));
    worker = { thread, peer };
    thread.on("error", (error) => log.error({ err: error }, "the database thread failed"));
    thread.on("exit", (code) => {
      peer.breakOff(new Error("the database thread has ended"));
      worker = undefined;
      if (!closed) void restart(code);
    });
    return worker;
  }

  /** A thread that died takes all databases with it; they are served again by a new one, from what was durable. */
  async function restart(code: number): Promise<void> {
    log.error({ code, deployments: served.size }, "the database thread ended; its databases are started again");
    for (const { deployment, address, generation } of served.values()) {
      const { port, replicaSetName } = address;
      await call("start", { id: deployment.id, replicaSetName, path: fileOf(deployment.id, generation), port }).catch((error: unknown) => log.error({ err: error, deploymentId: deployment.id }, "a database did not start again"));
    }
  }

  async function answer(name: string, argument: unknown): Promise<unknown> {
    if (name !== "findCredential") throw new Error(`the database thread asked for ${name}, which nobody answers`);
    const { deploymentId, authenticationDatabase, username } = argument as Parameters<DirectoryCalls["findCredential"]>[0];
    return options.directory.findCredential(deploymentId, authenticationDatabase, username);
  }

  function systemCredential(): DatabaseUserCredential {
    const salt = ids.randomBytes(28);
    const iterationCount = 4096;
    const salted = pbkdf2Sync(systemPassword, salt, iterationCount, 32, "sha256");
    const clientKey = createHmac("sha256", salted).update("Client Key").digest();
    return {
      username: systemUsername,
      credential: { salt, iterationCount, storedKey: createHash("sha256").update(clientKey).digest(), serverKey: createHmac("sha256", salted).update("Server Key").digest() },
      roles: [{ roleName: systemRoleName, databaseName: "admin" }],
    };
  }
}

function shownHost(host: string): string {
  if (host === "0.0.0.0" || host === "::") return "127.0.0.1";
  return host.includes(":") ? `[${host}]` : host;
}
