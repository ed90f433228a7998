import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MongoClient } from "mongodb";
import { createSystemClock } from "../../src/adapters/clock-system.ts";
import { createEmbeddedDeploymentHost } from "../../src/adapters/deployment-host-embedded/embedded-deployment-host.ts";
import { createRandomIds } from "../../src/adapters/ids-random.ts";
import type { DatabaseUserDirectory } from "../../src/ports/database-user-directory.ts";
import type { DeploymentHost, HostedDeployment } from "../../src/ports/deployment-host.ts";
import type { Ids } from "../../src/ports/ids.ts";

/** A real host with its worker thread over a folder of its own. */
export interface HostedDatabases {
  readonly host: DeploymentHost;
  readonly folder: string;
  readonly ids: Ids;
  /** Everything that was logged, as text. */
  readonly logged: string[];
  deployment(changes?: Partial<HostedDeployment>): HostedDeployment;
  /** A client with the system user. */
  connect(deploymentId: string): Promise<MongoClient>;
  /** Ends everything and deletes the folder. */
  close(): Promise<void>;
  /** Ends everything, leaves the folder, and answers a new host over it. */
  again(): Promise<HostedDatabases>;
}

export interface HostedDatabasesOptions {
  readonly folder?: string;
  readonly ports?: { readonly first: number; readonly last: number };
  readonly directory?: DatabaseUserDirectory;
  readonly workerUrl?: URL;
  readonly idleMs?: number;
  /** None is kept when left out. */
  readonly spareThreadDelayMs?: number;
}

/** Below the range from which the system gives ports away, and another part of it for each process. */
const firstPort = 20_000 + (process.pid % 120) * 100;

export async function openHostedDatabases(options: HostedDatabasesOptions = {}): Promise<HostedDatabases> {
  const folder = options.folder ?? (await mkdtemp(join(tmpdir(), "telamon-host-")));
  const clock = createSystemClock();
  const ids = createRandomIds(clock);
  const logged: string[] = [];
  const line = (fields: object, message: string): void => void logged.push(`${message} ${JSON.stringify(fields)}`);
  const host = createEmbeddedDeploymentHost({
    dataFolder: join(folder, "engine"),
    host: "127.0.0.1",
    ports: options.ports ?? { first: firstPort, last: firstPort + 99 },
    serverVersion: "8.0.0",
    directory: options.directory ?? { findCredential: async () => undefined, list: async () => [] },
    clock,
    ids,
    ...(options.idleMs === undefined ? {} : { idleMs: options.idleMs }),
    ...(options.spareThreadDelayMs === undefined ? {} : { spareThreadDelayMs: options.spareThreadDelayMs }),
    log: { debug: line, info: line, warn: line, error: line },
    workerUrl: options.workerUrl ?? new URL("../../src/app/engine-thread.js", import.meta.url),
  });
  const clients: MongoClient[] = [];
  const end = async (): Promise<void> => {
    for (const client of clients) await client.close(true);
    await host.close();
  };
  return {
    host,
    folder,
    ids,
    logged,
    deployment: (changes = {}) => ({
      id: ids.objectId(),
      projectId: ids.objectId(),
      name: "Instance0",
      generation: 1,
      ...changes,
    }),
    async connect(deploymentId) {
      const client = new MongoClient(await host.systemConnectionString(deploymentId), {
        serverSelectionTimeoutMS: 5000,
      });
      clients.push(client);
      return client.connect();
    },
    async close() {
      await end();
      await rm(folder, { recursive: true, force: true });
    },
    async again() {
      await end();
      return openHostedDatabases({ ...options, folder });
    },
  };
}
