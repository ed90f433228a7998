import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";

export interface MeasuredProcess {
  readonly seconds: number;
  /** Of all its threads: what a busy machine does not change much. */
  readonly cpuSeconds: number;
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
  let cpuSeconds = 0;
  const looking = setInterval(() => {
    peakBytes = Math.max(peakBytes, peakOf(child.pid));
    cpuSeconds = Math.max(cpuSeconds, cpuOf(child.pid));
  }, 20);
  const [code] = (await once(child, "close")) as [number | null];
  clearInterval(looking);
  if (code !== 0) throw new Error(`${program} ${programArguments.join(" ")} ended with ${code}: ${complaints}`);
  return { seconds: (performance.now() - beganMs) / 1000, cpuSeconds, peakBytes, output };
}

/** User and system time so far, in hundredths of a second as Linux counts. */
export function cpuOf(pid: number | undefined): number {
  try {
    // The program's name, in parentheses, may have spaces.
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
    return (Number(fields[11]) + Number(fields[12])) / 100;
  } catch {
    return 0;
  }
}

/** The most memory it had resident so far (Linux). */
export function peakOf(pid: number | undefined): number {
  try {
    const found = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
    return Number(found?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}
