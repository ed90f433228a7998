import { createEmbeddedDeploymentHost } from "../../adapters/deployment-host-embedded/embedded-deployment-host.ts";
import { reasonOf } from "../../jobs/reason.ts";
import { restoreOnTrial } from "../../jobs/tasks/drill.ts";
import { createLog } from "../log.ts";
import { exitCodes } from "../exit-codes.ts";
import { type CliCommand, engineFolder } from "./command.ts";
import { readCatalogue } from "./snapshots.ts";

export const drill: CliCommand = {
  name: "drill",
  parameters: "[SNAPSHOT-ID...]",
  description:
    "Restores snapshots (all, when none is named) on trial, compares every collection, index and document, and records when each was proven. The server must be stopped; it does the same by itself.",
  flags: {},
  async run({ words, configuration, clock, ids, output, openAll }) {
    const { metadata, store } = await openAll();
    const { records } = await readCatalogue(store);
    const missing = words.filter((id) => !records.some(({ snapshot }) => snapshot.id === id));
    if (missing.length > 0) throw new Error(`the store has no snapshot ${missing.join(", ")}`);
    const host = createEmbeddedDeploymentHost({
      dataFolder: engineFolder(configuration),
      host: "127.0.0.1",
      ports: configuration.enginePortRange,
      serverVersion: "8.0.0",
      directory: { findCredential: async () => undefined, list: async () => [] },
      clock,
      ids,
      log: createLog("silent"),
      workerUrl: new URL("../engine-thread.js", import.meta.url),
    });
    const results: { readonly id: string; readonly proven: boolean; readonly reason?: string }[] = [];
    try {
      for (const { snapshot, deployment } of records) {
        if (words.length > 0 && !words.includes(snapshot.id)) continue;
        output.progress(`restoring ${snapshot.id} on trial`);
        try {
          await restoreOnTrial(
            { repository: store, host },
            ids.objectId(),
            snapshot.manifestKey ?? "",
            new AbortController().signal,
          );
          // A snapshot that the metadata does not know keeps no record of it.
          if ((await metadata.snapshots.find(deployment.id, snapshot.id)) !== undefined)
            await metadata.snapshots.update(snapshot.id, { provenAtMs: clock.nowMs() });
          results.push({ id: snapshot.id, proven: true });
        } catch (error) {
          results.push({ id: snapshot.id, proven: false, reason: reasonOf(error) });
        }
      }
    } finally {
      await host.close();
    }
    output.result({ drills: results }, () =>
      results.map(({ id, proven, reason }) => `${id}  ${proven ? "proven restorable" : `NOT proven: ${reason ?? ""}`}`),
    );
    return results.every(({ proven }) => proven) ? exitCodes.ok : exitCodes.damaged;
  },
};
