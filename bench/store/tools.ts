import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { memoryOfTheProduct } from "../telamon-process.ts";
import { type MeasuredProcess, runMeasured } from "./measured-process.ts";

/** A backup tool under measurement. Each step is a process of its own. */
export interface Tool {
  readonly name: string;
  /** Backs up the file, after the ones before it. */
  snapshot(file: string): Promise<MeasuredProcess>;
  /** Reads and checks all that is stored; undefined when it cannot. */
  readonly verify: (() => Promise<MeasuredProcess>) | undefined;
  /** Restores the newest snapshot; undefined when it cannot. Answers the SHA-256 of what was restored too, or the path of a file of it. */
  readonly restore: (() => Promise<MeasuredProcess & Restored>) | undefined;
  /** Bytes in the repository. */
  storedBytes(): number;
}

export type Restored = { readonly path: string } | { readonly digest: string };

export function isInstalled(program: string): boolean {
  return [["--version"], ["version"]].some((words) => spawnSync(program, words).status === 0);
}

/** Telamon's backup store alone, fed with the documents from a file. */
export function telamon(folder: string): Tool {
  const store = join(folder, "telamon");
  const script = resolve(import.meta.dirname, "raw-stream.ts");
  const step = (...words: readonly string[]): Promise<MeasuredProcess> =>
    // As in the product: code that was compiled once is kept, and so little of what is free.
    runMeasured(process.execPath, ["--max-semi-space-size=4", script, ...words], {
      env: { ...memoryOfTheProduct, NODE_COMPILE_CACHE: join(folder, "compiled") },
    });
  let manifestKey: string | undefined;
  let count = 0;
  return {
    name: "telamon, raw stream",
    async snapshot(file) {
      // The repository is made beforehand, as the others' are; what is compiled for that is kept.
      if (count === 0) await step("verify", store);
      count += 1;
      const id = count.toString(16).padStart(24, "0");
      const ran = await step("snapshot", store, file, id, ...(manifestKey === undefined ? [] : [manifestKey]));
      ({ manifestKey } = JSON.parse(ran.output) as { manifestKey: string });
      return ran;
    },
    verify: () => step("verify", store),
    async restore() {
      const path = join(folder, "telamon.restored");
      return { ...(await step("restore", store, manifestKey ?? "", path)), path };
    },
    storedBytes: () => sizeOf(store),
  };
}

export function restic(folder: string): Tool {
  const repository = join(folder, "restic");
  const env = {
    RESTIC_REPOSITORY: repository,
    RESTIC_PASSWORD: "bench",
    RESTIC_CACHE_DIR: join(folder, "restic-cache"),
  };
  const input = join(folder, "orders.bson");
  let isMade = false;
  return {
    name: "restic",
    async snapshot() {
      if (!isMade) await runMeasured("restic", ["init", "--repository-version", "2"], { env });
      isMade = true;
      return runMeasured("restic", ["backup", "--quiet", input], { env });
    },
    verify: () => runMeasured("restic", ["check", "--read-data", "--quiet"], { env }),
    async restore() {
      const target = join(folder, "restic.restored");
      rmSync(target, { recursive: true, force: true });
      const ran = await runMeasured("restic", ["restore", "latest", "--quiet", "--target", target], { env });
      return { ...ran, path: join(target, input) };
    },
    storedBytes: () => sizeOf(repository),
  };
}

export function borg(folder: string): Tool {
  const repository = join(folder, "borg");
  const env = {
    BORG_REPO: repository,
    BORG_PASSPHRASE: "bench",
    BORG_BASE_DIR: join(folder, "borg-base"),
    BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK: "yes",
  };
  let count = 0;
  return {
    name: "borg",
    async snapshot() {
      if (count === 0) await runMeasured("borg", ["init", "-e", "repokey-blake2"], { env });
      count += 1;
      return runMeasured("borg", ["create", "-C", "zstd,1", `::s${count}`, "orders.bson"], { env, cwd: folder });
    },
    verify: () => runMeasured("borg", ["check", "--verify-data"], { env }),
    async restore() {
      const cwd = join(folder, "borg.restored");
      rmSync(cwd, { recursive: true, force: true });
      mkdirSync(cwd);
      const ran = await runMeasured("borg", ["extract", `::s${count}`], { env, cwd });
      return { ...ran, path: join(cwd, "orders.bson") };
    },
    storedBytes: () => sizeOf(repository),
  };
}

export function sizeOf(folder: string): number {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return files.reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
}
