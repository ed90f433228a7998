import type { RestoreStaging } from "../../ports/deployment-host.ts";
import type { Caller, HostCalls } from "./protocol.ts";

export interface StagingOptions {
  readonly call: Caller<HostCalls>;
  /** Names this opening of the file, and no other. */
  readonly key: string;
  readonly path: string;
  readonly makeDurable: () => Promise<void>;
}

/** A data file that a restore fills in the worker thread. What lies under its name is deleted first. */
export async function createStaging({ call, key, path, makeDurable }: StagingOptions): Promise<RestoreStaging> {
  await call("openStaging", { key, path });
  let scans = 0;
  return {
    createCollection: (description) => call("stageCollection", { key, description }),
    // One piece at a time: the answer is what keeps the sender from running ahead.
    insertDocuments: (database, name, bytes) => call("stageDocuments", { key, database, name, bytes }),
    createIndexes: (database, name, specifications) => call("stageIndexes", { key, database, name, specifications }),
    applyWrites: (writes) => call("stageWrites", { key, writes }),
    collections: () => call("stagedCollections", { key }),
    async *documents(database, name) {
      scans += 1;
      const scan = { key, scanId: scans };
      await call("beginScan", { ...scan, database, name });
      try {
        for (let piece = await call("nextPiece", scan); piece !== undefined; piece = await call("nextPiece", scan))
          yield piece;
      } finally {
        await call("endScan", scan).catch(() => undefined);
      }
    },
    async finish() {
      await call("closeStaging", { key });
      await makeDurable();
    },
    async abort() {
      // What cannot be deleted now is when the path is staged again, or at the next start.
      await call("discardStaging", { key }).catch(() => undefined);
    },
  };
}
