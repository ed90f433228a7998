import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";

export interface Credentials {
  readonly baseUrl: string;
  readonly orgId: string;
  readonly groupId: string;
  readonly apiKey: { readonly publicKey: string; readonly privateKey: string };
  readonly serviceAccount: { readonly clientId: string; readonly clientSecret: string };
  readonly demo?: {
    readonly instance: string;
    readonly connectionString: string;
    readonly username: string;
    readonly password: string;
  };
}

/** The product in a process of its own, started as its users start it. */
export interface TelamonProcess {
  readonly credentials: Credentials;
  readonly child: ChildProcess;
  /** Everything it printed on standard output so far. */
  readonly output: readonly string[];
  /** SIGTERM, and its exit code. */
  stop(): Promise<number | null>;
  /** SIGKILL: the process has no say in it. */
  kill(): Promise<void>;
}

/** A new folder for a test's server; `remove` it at the end. */
export function temporaryDataDirectory(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), "telamon-test-"));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** Starts the server on free ports and resolves at its ready line. Throws with what it said when it ends before. */
export function startTelamon(dataDirectory: string, ...flags: readonly string[]): Promise<TelamonProcess> {
  return startTelamonWith({ environment: {}, nodeFlags: [] }, dataDirectory, ...flags);
}

/** The same, with what Node is given beside the product's own flags. */
export async function startTelamonWith(
  { environment, nodeFlags }: { readonly environment: NodeJS.ProcessEnv; readonly nodeFlags: readonly string[] },
  dataDirectory: string,
  ...flags: readonly string[]
): Promise<TelamonProcess> {
  const main = resolve(import.meta.dirname, "../../src/main.js");
  const child = spawn(
    process.execPath,
    [...nodeFlags, main, "serve", "--port", "0", "--data-dir", dataDirectory, "--log-level", "warn", ...flags],
    {
      env: { ...process.env, ...environment },
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  const output: string[] = [];
  let complaints = "";
  child.stderr.on("data", (chunk: Buffer) => {
    complaints += chunk.toString();
  });
  const exited = once(child, "exit");
  const ready = new Promise<void>((fulfil) => {
    createInterface({ input: child.stdout }).on("line", (line) => {
      output.push(line);
      if (line.startsWith("telamon ready ")) fulfil();
    });
  });
  await Promise.race([
    ready,
    exited.then(() => {
      throw new Error(`telamon ended before it was ready: ${complaints}`);
    }),
  ]);
  return {
    credentials: JSON.parse(readFileSync(join(dataDirectory, "credentials.json"), "utf8")) as Credentials,
    child,
    output,
    async stop() {
      child.kill("SIGTERM");
      const [code] = (await exited) as [number | null];
      return code;
    },
    async kill() {
      child.kill("SIGKILL");
      await exited;
    },
  };
}

/** A caller of the API with a bearer token. */
export interface ApiCaller {
  request(
    method: string,
    path: string,
    body?: unknown,
  ): Promise<{ readonly status: number; readonly headers: Headers; readonly body: unknown }>;
}

/** Gets a token with the service account of `credentials` and calls with it, version 2023-01-01. */
export async function apiCaller(credentials: Credentials): Promise<ApiCaller> {
  const { clientId, clientSecret } = credentials.serviceAccount;
  const answer = await fetch(`${credentials.baseUrl}/api/oauth/token`, {
    method: "POST",
    headers: {
      authorization: `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString("base64")}`,
      "content-type": "application/x-www-form-urlencoded",
    },
    body: "grant_type=client_credentials",
  });
  const { access_token: token } = (await answer.json()) as { access_token: string };
  return {
    async request(method, path, body) {
      const response = await fetch(`${credentials.baseUrl}${path}`, {
        method,
        headers: {
          accept: "application/vnd.atlas.2023-01-01+json",
          authorization: `Bearer ${token}`,
          ...(body === undefined ? {} : { "content-type": "application/json" }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      return {
        status: response.status,
        headers: response.headers,
        body: text === "" ? undefined : (JSON.parse(text) as unknown),
      };
    },
  };
}

/** Takes a snapshot of an instance (`.../serverless/<name>`) and waits for its end, good or bad. */
export async function takeSnapshot(
  caller: ApiCaller,
  instancePath: string,
  timeoutMs?: number,
): Promise<{ readonly id: string; readonly status: string }> {
  const path = `${instancePath}/backup/snapshots`;
  const { body } = await caller.request("POST", path, { description: "of a test", retentionInDays: 1 });
  const { id } = body as { readonly id: string };
  return eventually(
    "the snapshot to end",
    async () => {
      const { body: seen } = await caller.request("GET", `${path}/${id}`);
      const now = seen as { readonly id: string; readonly status: string };
      return ["completed", "failed"].includes(now.status) ? now : undefined;
    },
    timeoutMs,
  );
}

/** Restores a snapshot of an instance to another of the same project and waits for its end, good or bad. */
export async function restoreSnapshot(
  caller: ApiCaller,
  instancePath: string,
  target: { readonly snapshotId: string; readonly targetClusterName: string; readonly targetGroupId: string },
): Promise<{ readonly failed: boolean }> {
  const path = `${instancePath}/backup/restoreJobs`;
  const { body } = await caller.request("POST", path, { deliveryType: "automated", ...target });
  const { id } = body as { readonly id: string };
  return eventually("the restore to end", async () => {
    const { body: seen } = await caller.request("GET", `${path}/${id}`);
    const now = seen as { readonly finishedAt?: string; readonly failed: boolean };
    return now.finishedAt === undefined && !now.failed ? undefined : now;
  });
}

/** Asks until `ask` answers something, at most `timeoutMs`. */
export async function eventually<Result>(
  what: string,
  ask: () => Promise<Result | undefined>,
  timeoutMs = 30_000,
): Promise<Result> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const result = await ask();
    if (result !== undefined) return result;
    if (performance.now() > deadline) throw new Error(`waited ${timeoutMs} ms for ${what}`);
    await new Promise((fulfil) => setTimeout(fulfil, 20));
  }
}
