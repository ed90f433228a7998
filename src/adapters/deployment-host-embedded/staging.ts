import { open, rm } from "node:fs/promises";
import { dirname } from "node:path";
import type { RestoreStaging } from "../../ports/deployment-host.ts";
import type { CallHost } from "./embedded-deployment-host.ts";

let scans = 0;

/** A data file that a restore fills in the worker thread. What a dead process left under its name is deleted first. */
export async function createStaging(call: CallHost, deploymentId: string, path: string): Promise<RestoreStaging> {
  await deleteFile(path);
  const key = `${deploymentId} ${path}`;
  await call("openStaging", { key, path });
  return {
    createCollection: (description) => call("stageCollection", { key, description }),
    // One piece at a time: the answer is what keeps the sender from running ahead.
    insertDocuments: (database, name, bytes) => call("stageDocuments", { key, database, name, bytes }),
    createIndexes: (database, name, specifications) => call("stageIndexes", { key, database, name, specifications }),
    collections: () => call("stagedCollections", { key }),
    async *documents(database, name) {
      scans += 1;
      const scanId = scans;
      await call("beginScan", { key, scanId, database, name });
      for (let piece = await call("nextPiece", { scanId }); piece !== undefined; piece = await call("nextPiece", { scanId })) yield piece;
    },
    async finish() {
      await call("closeStaging", { key });
      await using file = await open(path, "r");
      await file.sync();
      await using folder = await open(dirname(path), "r");
      await folder.sync();
    },
    async abort() {
      await call("closeStaging", { key }).catch(() => undefined);
      await deleteFile(path).catch(() => undefined);
    },
  };
}

async function deleteFile(path: string): Promise<void> {
  for (const suffix of ["", "-wal", "-shm", "-journal"]) await rm(`${path}${suffix}`, { force: true });
}
