import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { MongoClient } from "mongodb";
import { createPlan } from "../list/plan.ts";
import { firstAnswerMs } from "./first-answer.ts";
import { type MeasuredTelamon, startTelamon } from "../telamon-process.ts";

/** What a client sees of a database that sleeps, in a process where nothing was awake before. */
interface Waking {
  /** From connecting to the reply of a bare `hello`. */
  readonly helloMs: number;
  /** From making a driver's client to the first document, with a login that it has not done before. */
  readonly firstFindMs: number;
  /** Processor time that the server took from the client's coming to the first document. */
  readonly processorMs: number;
}

/** Below the range from which the system gives ports away, and not where servers listen that are started without flags. */
const ports = ["--engine-port-range", "21000-21009"];

/** How long after the ready line the client comes: when a spare thread is there, and when none is yet. */
const situations = [
  ["with the spare thread", 5000],
  ["in a process just started", 500],
] as const;

/**
 * How long the first client of a sleeping database waits, over and over with a process that was just started: for a bare `hello`, and for a driver's first document.
 * The first round is not counted: this side warms up, and the process writes down what it compiled.
 */
export async function wakings(rounds: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "telamon-wake-"));
  try {
    const uri = await prepare(folder, rounds * situations.length);
    console.log(`first client of a sleeping database, ${rounds} rounds`.padEnd(72) + "   median      worst");
    let user = 0;
    for (const [situation, waitMs] of situations) {
      const counted: Waking[] = [];
      for (let round = 0; round < rounds; round += 1) {
        const { ms: helloMs } = await served(folder, waitMs, () => firstAnswerMs(Number(uri.port)));
        if (user === 0) await served(folder, waitMs, () => firstFind(withUser(uri, 0)));
        user += 1;
        const found = await served(folder, waitMs, () => firstFind(withUser(uri, user)));
        counted.push({ helloMs, firstFindMs: found.ms, processorMs: found.processorMs });
      }
      show(`${situation}: a bare hello`, counted, ({ helloMs }) => helloMs);
      show(`${situation}: a driver's connect, login and first document`, counted, ({ firstFindMs }) => firstFindMs);
      show("    processor time of the server for it", counted, ({ processorMs }) => processorMs);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A database with a collection, and users enough for one each time: drivers remember what they derived from a password. */
async function prepare(folder: string, users: number): Promise<URL> {
  const telamon = await startTelamon(folder, "--demo", ...ports);
  const { credentials } = telamon;
  const uri = new URL(credentials.demo?.connectionString ?? "");
  const path = `/api/atlas/v2/groups/${credentials.groupId}/databaseUsers`;
  const { accept, authorization } = await createPlan("bearer", credentials, path);
  for (let user = 0; user <= users; user += 1) {
    const response = await fetch(credentials.baseUrl + path, {
      method: "POST",
      headers: { accept, authorization: authorization(undefined), "content-type": "application/json" },
      body: JSON.stringify({
        databaseName: "admin",
        username: `user${user}`,
        password: `password of ${user}`,
        roles: [{ databaseName: "admin", roleName: "atlasAdmin" }],
      }),
    });
    if (!response.ok) throw new Error(`${response.status}: ${await response.text()}`);
  }
  await telamon.stop();
  return uri;
}

function withUser(uri: URL, user: number): string {
  const own = new URL(uri);
  own.username = `user${user}`;
  own.password = `password of ${user}`;
  return own.href;
}

async function served(
  folder: string,
  waitMs: number,
  run: () => Promise<number>,
): Promise<{ readonly ms: number; readonly processorMs: number }> {
  const telamon = await startTelamon(folder, ...ports);
  try {
    await sleep(waitMs);
    const before = processorMsOf(telamon);
    const ms = await run();
    return { ms, processorMs: processorMsOf(telamon) - before };
  } finally {
    await telamon.stop();
  }
}

/** Of all threads that live, read from Linux's scheduler, which counts finer than clock ticks. */
function processorMsOf({ pid }: MeasuredTelamon): number {
  const tasks = `/proc/${pid}/task`;
  return readdirSync(tasks)
    .map((task) => Number(readFileSync(`${tasks}/${task}/schedstat`, "utf8").split(" ")[0]) / 1e6)
    .reduce((sum, ms) => sum + ms, 0);
}

async function firstFind(uri: string): Promise<number> {
  const startedMs = performance.now();
  const client = new MongoClient(uri);
  try {
    await client.db("sample_shop").collection("orders").findOne();
    return performance.now() - startedMs;
  } finally {
    await client.close();
  }
}

function show(name: string, wakings: readonly Waking[], of: (waking: Waking) => number): void {
  const values = wakings.map(of).toSorted((left, right) => left - right);
  const cells = [values[Math.floor(values.length / 2)] ?? 0, values.at(-1) ?? 0];
  console.log(`${name.padEnd(72)} ${cells.map((ms) => `${ms.toFixed(0).padStart(5)} ms`).join("   ")}`);
}
