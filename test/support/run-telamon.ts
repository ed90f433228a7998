import { spawn } from "node:child_process";
import { once } from "node:events";
import { resolve } from "node:path";

const main = resolve(import.meta.dirname, "../../src/main.js");

/** A command line that has ended. */
export interface Ran {
  readonly code: number | null;
  readonly output: string;
  readonly complaints: string;
}

export interface RunOptions {
  /** Comes on standard input; nothing when left out. */
  readonly input?: string;
  readonly environment?: Readonly<Record<string, string>>;
}

/** Runs one command line as people do. */
export async function runTelamon(commandLine: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const child = spawn(process.execPath, [main, ...commandLine], {
    stdio: [options.input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
    env: { ...process.env, ...options.environment },
  });
  child.stdin?.end(options.input);
  let output = "";
  let complaints = "";
  child.stdout?.on("data", (chunk: Buffer) => (output += chunk.toString()));
  child.stderr?.on("data", (chunk: Buffer) => (complaints += chunk.toString()));
  const [code] = (await once(child, "close")) as [number | null];
  return { code, output, complaints };
}
