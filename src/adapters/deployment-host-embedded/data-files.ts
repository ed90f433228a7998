import { mkdir, open, readdir, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";

/** A data file and what SQLite may have beside it. */
export const fileSuffixes = ["", "-wal", "-shm", "-journal"] as const;

/** Where the data files of deployments lie: `<root>/<deployment>/<generation>.sqlite`. */
export class DataFiles {
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  pathOf(deploymentId: string, generation: number): string {
    return join(this.#folderOf(deploymentId), `${generation}.sqlite`);
  }

  /** Makes the deployment's folder, durable in its parent. */
  async prepare(deploymentId: string): Promise<void> {
    const first = await mkdir(this.#folderOf(deploymentId), { recursive: true, mode: 0o700 });
    if (first === undefined) return;
    await syncFolder(this.#root);
    if (first !== this.#folderOf(deploymentId)) await syncFolder(dirname(this.#root));
  }

  /**
   * Deletes the files of other generations: left by a restore that did not get to its end, or replaced by one that did. When the true one is not there nothing is deleted:
   * either nothing was ever written, or something is wrong that must not become worse. Answers whether it was there.
   */
  async deleteOthers(deploymentId: string, generation: number): Promise<boolean> {
    const path = this.pathOf(deploymentId, generation);
    if (!(await exists(path))) return false;
    const folder = dirname(path);
    const kept = new Set<string>(fileSuffixes.map((suffix) => `${path}${suffix}`));
    const others = (await readdir(folder)).map((name) => join(folder, name)).filter((other) => !kept.has(other));
    for (const other of others) await rm(other, { force: true });
    if (others.length > 0) await syncFolder(folder);
    return true;
  }

  async deleteAll(deploymentId: string): Promise<void> {
    await rm(this.#folderOf(deploymentId), { recursive: true, force: true });
    if (await exists(this.#root)) await syncFolder(this.#root);
  }

  /** Makes a closed data file durable under its name. Throws when its log was not folded into it. */
  async makeDurable(deploymentId: string, generation: number): Promise<void> {
    const path = this.pathOf(deploymentId, generation);
    const log = await stat(`${path}-wal`).catch(() => undefined);
    if (log !== undefined && log.size > 0) throw new Error(`the log of ${path} was not folded into it`);
    await using file = await open(path, "r");
    await file.sync();
    await syncFolder(dirname(path));
  }

  #folderOf(deploymentId: string): string {
    // The id names a folder: nothing else may.
    if (!/^[0-9a-f]{24}$/.test(deploymentId)) throw new Error("a deployment's id has 24 hexadecimal digits");
    return join(this.#root, deploymentId);
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw error;
  }
}

async function syncFolder(path: string): Promise<void> {
  await using folder = await open(path, "r");
  await folder.sync();
}
