import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { join, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type Collection, MongoClient, MongoError } from "mongodb";
import { createFileBlobStore } from "../../src/adapters/blob-file-system/file-blob-store.ts";
import { createSystemClock } from "../../src/adapters/clock-system.ts";
import { createRandomIds } from "../../src/adapters/ids-random.ts";
import { loadOrCreateMasterKey } from "../../src/adapters/master-key-file/master-key-file.ts";
import { createSqliteMetadata } from "../../src/adapters/metadata-sql/sqlite-metadata.ts";
import { openBackupStore } from "../../src/backup-store/index.ts";
import type { RestoreJobRecord } from "../../src/ports/metadata/restore-job-records.ts";
import type { SnapshotRecord } from "../../src/ports/metadata/snapshot-records.ts";
import type { SnapshotReader } from "../../src/ports/snapshot-repository.ts";
import { everything } from "./domain-world.ts";
import { type ApiCaller, apiCaller, eventually, startTelamon, type TelamonProcess } from "./telamon-process.ts";

export const source = "Source";
export const target = "Target";
const databaseName = "crash";
const collectionNames = ["documents", "markers"] as const;
const documentCount = 12_000;

export interface SnapshotAnswer {
  readonly id: string;
  readonly status: "queued" | "inProgress" | "completed" | "failed";
}

/** The product in its own process, killed and started again on the same data, with two instances and a user in them. */
export interface CrashWorld {
  readonly random: () => number;
  readonly caller: ApiCaller;
  readonly groupPath: string;
  start(): Promise<void>;
  /** Begins a start and kills it after `delayMs`. */
  startAndKill(delayMs: number): Promise<void>;
  kill(): Promise<void>;
  stop(): Promise<number | null>;
  createInstances(): Promise<void>;
  /** Changes a part of the source's documents, and answers the digest of all of them. */
  change(round: number): Promise<string>;
  /** Digest of an instance's documents as a client reads them; read again when the connection breaks. */
  digest(instance: string): Promise<string>;
  /** A request that must be answered with 2xx. */
  send<Body>(method: string, path: string, body?: unknown): Promise<Body>;
  snapshots(): Promise<readonly SnapshotAnswer[]>;
}

/** A generator of numbers in [0, 1) that a seed repeats (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let value = Math.imul(state ^ (state >>> 15), state | 1);
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61);
    return ((value ^ (value >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export function createCrashWorld(dataDirectory: string, random: () => number): CrashWorld {
  const user = { username: "crash", password: "a password for the crash test" };
  // Ports of this run's own, so that others on the machine are not met.
  const firstPort = 30_000 + (process.pid % 100) * 20;
  const flags = ["--engine-port-range", `${firstPort}-${firstPort + 19}`, "--rate-limits", "off"];
  let telamon: TelamonProcess;
  let caller: ApiCaller;
  let groupPath = "";

  const send = async <Body>(method: string, path: string, body?: unknown): Promise<Body> => {
    const answer = await caller.request(method, path, body);
    if (answer.status >= 300)
      throw new Error(`${method} ${path} answered ${answer.status}: ${JSON.stringify(answer.body)}`);
    return answer.body as Body;
  };

  const withClient = async <Result>(
    instance: string,
    work: (collection: (name: string) => Collection) => Promise<Result>,
  ): Promise<Result> => {
    const { connectionStrings } = await send<{ connectionStrings: { standard: string } }>(
      "GET",
      `${groupPath}/serverless/${instance}`,
    );
    const client = new MongoClient(connectionStrings.standard, {
      auth: user,
      authSource: "admin",
      serverSelectionTimeoutMS: 5000,
    });
    try {
      return await work((name) => client.db(databaseName).collection(name));
    } finally {
      await client.close();
    }
  };

  const world: CrashWorld = {
    random,
    get caller() {
      return caller;
    },
    get groupPath() {
      return groupPath;
    },
    async start() {
      telamon = await startTelamon(dataDirectory, ...flags);
      caller = await apiCaller(telamon.credentials);
      groupPath = `/api/atlas/v2/groups/${telamon.credentials.groupId}`;
    },
    async startAndKill(delayMs) {
      const main = resolve(import.meta.dirname, "../../src/main.js");
      const child = spawn(process.execPath, [main, "serve", "--port", "0", "--data-dir", dataDirectory, ...flags], {
        stdio: "ignore",
      });
      const exited = once(child, "exit");
      await delay(delayMs);
      child.kill("SIGKILL");
      await exited;
    },
    kill: () => telamon.kill(),
    stop: () => telamon.stop(),
    async createInstances() {
      for (const name of [source, target]) {
        await send("POST", `${groupPath}/serverless`, {
          name,
          providerSettings: { backingProviderName: "AWS", providerName: "SERVERLESS", regionName: "US_EAST_1" },
        });
      }
      await send("POST", `${groupPath}/databaseUsers`, {
        ...user,
        databaseName: "admin",
        groupId: telamon.credentials.groupId,
        roles: [{ roleName: "readWriteAnyDatabase", databaseName: "admin" }],
      });
      for (const name of [source, target]) {
        await eventually(`${name} to be idle`, async () => {
          const { stateName } = await send<{ stateName: string }>("GET", `${groupPath}/serverless/${name}`);
          return stateName === "IDLE" ? true : undefined;
        });
      }
      await withClient(source, async (collection) => {
        await collection("documents").createIndex({ value: 1 }, { name: "by value" });
        for (let first = 0; first < documentCount; first += 1000) {
          await collection("documents").insertMany(
            Array.from({ length: 1000 }, (_, index) => ({
              _id: (first + index) as never,
              value: 0,
              bytes: randomBytes(random),
            })),
          );
        }
      });
    },
    async change(round) {
      await withClient(source, async (collection) => {
        const chosen = Array.from({ length: 400 }, () => Math.floor(random() * documentCount));
        await collection("documents").updateMany({ _id: { $in: chosen as never[] } }, { $set: { value: round } });
        await collection("markers").insertOne({ _id: round as never });
      });
      return world.digest(source);
    },
    digest: (instance) =>
      eventually(`the documents of ${instance}`, async () => {
        try {
          return await withClient(instance, async (collection) => {
            const hash = createHash("sha256");
            for (const name of collectionNames)
              for await (const document of collection(name).find({}, { raw: true, sort: { _id: 1 } }))
                hash.update(document as unknown as Uint8Array);
            return hash.digest("hex");
          });
        } catch (error) {
          // A restore ends connections and cursors; who reads reads again.
          if (!(error instanceof MongoError)) throw error;
          return undefined;
        }
      }),
    send,
    async snapshots() {
      const { results } = await send<{ results: SnapshotAnswer[] }>(
        "GET",
        `${groupPath}/serverless/${source}/backup/snapshots?itemsPerPage=500`,
      );
      return results;
    },
  };
  return world;
}

/** What a stopped server has left on its disk. */
export interface LeftOnDisk {
  readonly snapshots: readonly SnapshotRecord[];
  readonly restoreJobs: readonly RestoreJobRecord[];
  /** Reads and authenticates all of a snapshot, and answers the digest of its documents. */
  verifiedDigest(snapshot: SnapshotRecord): Promise<string>;
  unfinishedJobs(): Promise<boolean>;
  close(): Promise<void>;
}

/** Opens metadata and store of a stopped server. */
export async function openLeftOnDisk(dataDirectory: string, projectId: string): Promise<LeftOnDisk> {
  const ids = createRandomIds(createSystemClock());
  const fromIds = (length: number): Uint8Array => ids.randomBytes(length);
  const metadata = await createSqliteMetadata({ path: join(dataDirectory, "metadata.sqlite") });
  const deployment = await metadata.deployments.findByName(projectId, source);
  if (deployment === undefined) throw new Error(`${source} is lost`);
  const blobs = await createFileBlobStore({ root: join(dataDirectory, "store"), randomBytes: fromIds });
  const masterKey = await loadOrCreateMasterKey(join(dataDirectory, "master.key"), fromIds);
  const repository = await openBackupStore({ blobs, secret: masterKey, randomBytes: fromIds });
  return {
    snapshots: (await metadata.snapshots.page(deployment.id, everything)).items,
    restoreJobs: (await metadata.restoreJobs.page(deployment.id, everything)).items,
    async verifiedDigest({ manifestKey }) {
      if (manifestKey === undefined) throw new Error("a completed snapshot without a manifest");
      const reader = await repository.open(manifestKey);
      await reader.verify();
      return digestOf(reader);
    },
    unfinishedJobs: async () =>
      (await metadata.jobs.nextDueMs(["provision", "deprovision", "takeSnapshot", "restore"])) !== undefined,
    close: () => metadata.close(),
  };
}

/** Bytes that do not compress, so that a snapshot has something to do. */
function randomBytes(random: () => number): Buffer {
  return Buffer.from(Array.from({ length: 500 }, () => Math.floor(random() * 256)));
}

async function digestOf(reader: SnapshotReader): Promise<string> {
  const hash = createHash("sha256");
  for (const name of collectionNames) {
    if (!reader.collections.some((collection) => collection.name === name)) continue;
    for await (const piece of reader.documents(databaseName, name)) hash.update(piece);
  }
  return hash.digest("hex");
}
