import { statSync } from "node:fs";
import { join, resolve } from "node:path";
import { type BenchDeployment, collection, database } from "./deployment.ts";
import { runMeasured } from "./measured-process.ts";
import { sizeOf, type Tool } from "./tools.ts";

/** Telamon from its engine to its store, over the API; memory and processor time are those of the whole server. */
export function telamonWhole(deployment: BenchDeployment): Tool {
  const store = join(deployment.folder, "store");
  const main = resolve(import.meta.dirname, "../../src/main.js");
  let snapshotId = "";
  return {
    name: "telamon, engine to store",
    async snapshot() {
      const before = await deployment.snapshotsByLog();
      const taken = await deployment.takeSnapshot();
      const isByLog = (await deployment.snapshotsByLog()) > before;
      console.log(`    ${isByLog ? "made of the snapshot before and the operation log" : "everything was read"}`);
      snapshotId = taken.output;
      return taken;
    },
    verify: () => runMeasured(process.execPath, [main, "verify", "--data-dir", deployment.folder]),
    async restore() {
      const restored = await deployment.restore(snapshotId);
      return { ...restored, digest: await deployment.digestOf() };
    },
    storedBytes: () => sizeOf(store),
  };
}

/** mongodump and, where it is given, mongorestore of the same database: every archive holds everything. */
export function mongodump(
  deployment: BenchDeployment,
  folder: string,
  programs: { readonly dump: string; readonly restore: string | undefined },
): Tool {
  const archives: string[] = [];
  const uri = `--uri=${deployment.uri}`;
  const restore = programs.restore;
  return {
    name: "mongodump --gzip",
    snapshot() {
      const archive = join(folder, `archive${archives.length}.gz`);
      archives.push(archive);
      return runMeasured(programs.dump, [
        uri,
        "--quiet",
        "--gzip",
        `--archive=${archive}`,
        `--db=${database}`,
        `--collection=${collection}`,
      ]);
    },
    verify: undefined,
    restore:
      restore === undefined
        ? undefined
        : async () => {
            const restored = `${collection}Restored`;
            const names = [`--nsFrom=${database}.${collection}`, `--nsTo=${database}.${restored}`];
            const archive = `--archive=${archives.at(-1)}`;
            const ran = await runMeasured(restore, [uri, "--quiet", "--gzip", archive, ...names]);
            return { ...ran, digest: await deployment.digestOf(restored) };
          },
    storedBytes: () => archives.reduce((sum, path) => sum + statSync(path).size, 0),
  };
}
