import { MongoClient } from "mongodb";
import type { SnapshotRecord } from "../ports/metadata/snapshot-records.ts";
import type { Clock } from "../ports/clock.ts";
import type { Ids } from "../ports/ids.ts";
import type { Services } from "../domain/services.ts";
import { AppError } from "../shared/app-error.ts";
import { demoDatabaseName, insertDemoData } from "./demo-data.ts";

export interface DemoCredentials {
  readonly instance: string;
  readonly connectionString: string;
  readonly username: string;
  readonly password: string;
}

export interface DemoOptions {
  readonly services: Services;
  readonly projectId: string;
  /** `mongodb://host:port/?...` without user, once the instance is ready. */
  readonly connectionString: (instanceName: string) => Promise<string | undefined>;
  /** Of an earlier start, so that a written-down password stays good. */
  readonly password: string | undefined;
  readonly clock: Clock;
  readonly ids: Ids;
}

const instanceName = "Instance0";
const username = "demo";
const waitMs = 60_000;

/** Makes what `--demo` promises, or finds it from an earlier start: an instance with data, a user, and a completed snapshot. */
export async function prepareDemo(options: DemoOptions): Promise<DemoCredentials> {
  const { services, projectId } = options;
  await unlessThere(services.serverlessInstances.get(projectId, instanceName), () =>
    services.serverlessInstances.create(projectId, {
      name: instanceName,
      backingProviderName: "AWS",
      regionName: "US_EAST_1",
    }),
  );
  const password = options.password ?? Buffer.from(options.ids.randomBytes(18)).toString("base64url");
  await prepareUser(services, projectId, password, options.password === undefined);
  const plain = await waitFor(options.clock, `instance ${instanceName} to start`, () =>
    options.connectionString(instanceName),
  );
  const connectionString = plain.replace("mongodb://", `mongodb://${username}:${encodeURIComponent(password)}@`);
  await prepareData(connectionString);
  await prepareSnapshot(options);
  return { instance: instanceName, connectionString, username, password };
}

async function prepareUser(
  services: Services,
  projectId: string,
  password: string,
  passwordIsNew: boolean,
): Promise<void> {
  const user = {
    databaseName: "admin",
    username,
    password,
    roles: [{ roleName: "atlasAdmin", databaseName: "admin" }],
  };
  const created = await unlessThere(services.databaseUsers.get(projectId, "admin", username), () =>
    services.databaseUsers.create(projectId, user),
  );
  if (!created && passwordIsNew) await services.databaseUsers.update(projectId, "admin", username, { password });
}

async function prepareData(connectionString: string): Promise<void> {
  // Nobody else's certificate could come by this way: the address is this process's own.
  const trust = connectionString.includes("tls=true") ? { tlsInsecure: true } : {};
  const client = new MongoClient(connectionString, { serverSelectionTimeoutMS: 10_000, ...trust });
  try {
    const database = client.db(demoDatabaseName);
    if ((await database.listCollections({}, { nameOnly: true }).toArray()).length === 0) await insertDemoData(database);
  } finally {
    await client.close();
  }
}

async function prepareSnapshot({ services, projectId, clock }: DemoOptions): Promise<void> {
  const list = (): Promise<readonly SnapshotRecord[]> =>
    services.snapshots
      .list(projectId, instanceName, { pageNumber: 1, itemsPerPage: 10, includeCount: false })
      .then((page) => page.items);
  if ((await list()).some((snapshot) => snapshot.status === "completed")) return;
  const { id } = await services.snapshots.take(projectId, instanceName, {
    description: "taken for the demo",
    retentionInDays: 7,
  });
  await waitFor(clock, "the demo's snapshot", async () => {
    const snapshot = await services.snapshots.get(projectId, instanceName, id);
    if (snapshot.status === "failed")
      throw new Error(`the demo's snapshot failed: ${snapshot.failureReason ?? "no reason given"}`);
    return snapshot.status === "completed" ? snapshot : undefined;
  });
}

/** True when `create` ran because the thing was not there. */
async function unlessThere(found: Promise<unknown>, create: () => Promise<unknown>): Promise<boolean> {
  try {
    await found;
    return false;
  } catch (error) {
    if (!(error instanceof AppError && error.kind === "not_found")) throw error;
    await create();
    return true;
  }
}

async function waitFor<Result>(clock: Clock, what: string, ask: () => Promise<Result | undefined>): Promise<Result> {
  const deadlineMs = clock.monotonicMs() + waitMs;
  for (;;) {
    const result = await ask();
    if (result !== undefined) return result;
    if (clock.monotonicMs() > deadlineMs) throw new Error(`waited ${waitMs / 1000} s for ${what}`);
    await clock.sleep(15);
  }
}
