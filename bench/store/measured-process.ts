import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";

export interface MeasuredProcess {
  readonly seconds: number;
  readonly peakBytes: number;
  readonly output: string;
}

/** Runs a program to its end, and tells its time and the most memory it had resident (Linux). Throws when it fails. */
export async function runMeasured(
  program: string,
  programArguments: readonly string[],
  options: { readonly cwd?: string; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<MeasuredProcess> {
  const beganMs = performance.now();
  const child = spawn(program, programArguments, {
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    env: { ...process.env, ...options.env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  let complaints = "";
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (complaints += chunk.toString()));
  let peakBytes = 0;
  const looking = setInterval(() => (peakBytes = Math.max(peakBytes, peakOf(child.pid))), 50);
  const [code] = (await once(child, "close")) as [number | null];
  clearInterval(looking);
  if (code !== 0) throw new Error(`${program} ${programArguments.join(" ")} ended with ${code}: ${complaints}`);
  return { seconds: (performance.now() - beganMs) / 1000, peakBytes, output };
}

function peakOf(pid: number | undefined): number {
  try {
    const found = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
    return Number(found?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}
