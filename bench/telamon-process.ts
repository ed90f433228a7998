import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";

export interface Credentials {
  readonly baseUrl: string;
  readonly groupId: string;
  readonly apiKey: { readonly publicKey: string; readonly privateKey: string };
  readonly serviceAccount: { readonly clientId: string; readonly clientSecret: string };
  /** With the flag `--demo`. */
  readonly demo?: { readonly instance: string; readonly connectionString: string };
}

/** Memory of a process that is in use now; on Linux. */
export function residentBytesOf({ pid }: { readonly pid?: number | undefined }): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
}

/** The product in a process of its own, measured from outside. */
export interface MeasuredTelamon {
  readonly pid: number | undefined;
  readonly credentials: Credentials;
  /** From the start of the process to its ready line. */
  readonly readyMs: number;
  residentBytes(): number;
  stop(): Promise<void>;
}

/** What `npm start` tells the C library. */
export const memoryOfTheProduct = {
  MALLOC_ARENA_MAX: "1",
  MALLOC_MMAP_THRESHOLD_: "1048576",
  MALLOC_TRIM_THRESHOLD_: "1048576",
};

/** Starts the product as `npm start` does, with rate limits off, and waits for its ready line. */
export async function startTelamon(dataDirectory: string, ...flags: readonly string[]): Promise<MeasuredTelamon> {
  const main = resolve(import.meta.dirname, "../src/main.js");
  const startedMs = performance.now();
  const child = spawn(
    process.execPath,
    [
      "--max-semi-space-size=4",
      "--expose-gc",
      main,
      "serve",
      "--port",
      "0",
      "--data-dir",
      dataDirectory,
      "--rate-limits",
      "off",
      "--log-level",
      "warn",
      ...flags,
    ],
    { stdio: ["ignore", "pipe", "inherit"], env: { ...process.env, ...memoryOfTheProduct } },
  );
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.startsWith("telamon ready ")) break;
  }
  const readyMs = performance.now() - startedMs;
  if (child.exitCode !== null) throw new Error(`telamon ended with ${child.exitCode} before it was ready`);
  return {
    pid: child.pid,
    readyMs,
    credentials: JSON.parse(readFileSync(join(dataDirectory, "credentials.json"), "utf8")) as Credentials,
    residentBytes: () => residentBytesOf(child),
    async stop() {
      child.kill("SIGTERM");
      await once(child, "exit");
    },
  };
}
