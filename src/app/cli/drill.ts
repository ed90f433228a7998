import { createEmbeddedDeploymentHost } from "../../adapters/deployment-host-embedded/embedded-deployment-host.ts";
import { reasonOf } from "../../jobs/reason.ts";
import { recordDrill } from "../../jobs/record-drill.ts";
import { restoreOnTrial } from "../../jobs/tasks/drill.ts";
import { writeDueRecords } from "../../jobs/write-due-records.ts";
import type { CataloguedSnapshot } from "../../ports/snapshot-repository.ts";
import { createLog } from "../log.ts";
import { exitCodes } from "../exit-codes.ts";
import { connectToApi } from "./api-client.ts";
import { type CliCommand, type CommandContext, engineFolder, type OpenedAll } from "./command.ts";
import { carePath, type ShownCare } from "./shown-care.ts";
import { readCatalogue } from "./read-catalogue.ts";
import { until } from "./until-ended.ts";

/** Undefined when it was proven. */
type Trial = (record: CataloguedSnapshot) => Promise<string | undefined>;

export const drill: CliCommand = {
  name: "drill",
  parameters: "[SNAPSHOT-ID...]",
  description:
    "Restores snapshots (all, when none is named) on trial, compares every collection, index and document, and records when each was proven. Done by the server while it runs.",
  flags: {},
  async run(context) {
    const { words, output, openAllUnlessServed, openStoreForReading } = context;
    const opened = await openAllUnlessServed();
    const { records } = await readCatalogue(opened?.store ?? (await openStoreForReading()));
    const missing = words.filter((id) => !records.some(({ snapshot }) => snapshot.id === id));
    if (missing.length > 0) throw new Error(`the store has no snapshot ${missing.join(", ")}`);
    const wanted = records.filter(({ snapshot }) => words.length === 0 || words.includes(snapshot.id));
    const results = await (opened === undefined ? drillByServer(context, wanted) : drillHere(context, opened, wanted));
    output.result({ drills: results }, () =>
      results.map(({ id, proven, reason }) => `${id}  ${proven ? "proven restorable" : `NOT proven: ${reason ?? ""}`}`),
    );
    return results.every(({ proven }) => proven) ? exitCodes.ok : exitCodes.damaged;
  },
};

interface Result {
  readonly id: string;
  readonly proven: boolean;
  readonly reason?: string;
}

async function drillEach(
  { output }: CommandContext,
  records: readonly CataloguedSnapshot[],
  trial: Trial,
): Promise<readonly Result[]> {
  const results: Result[] = [];
  for (const record of records) {
    const { id } = record.snapshot;
    output.progress(`restoring ${id} on trial (${results.length + 1} of ${records.length})`);
    const reason = await trial(record).catch(reasonOf);
    results.push({ id, proven: reason === undefined, ...(reason !== undefined && { reason }) });
  }
  return results;
}

async function drillByServer(
  context: CommandContext,
  records: readonly CataloguedSnapshot[],
): Promise<readonly Result[]> {
  const { configuration, output } = context;
  const api = await connectToApi(configuration.dataDirectory, process.env);
  return drillEach(context, records, async (record) => {
    const path = carePath(record);
    await api.call("POST", `${path}/drill`).catch((error: unknown) => {
      // Somebody else has asked for it: the result is the same.
      if (!String(error).includes("DRILL_UNDER_WAY")) throw error;
    });
    const { restorability } = await until<ShownCare>(
      { api, output },
      path,
      (state) => state.restorability.underWay === false,
      () => `restoring ${record.snapshot.id} on trial`,
    );
    return restorability.failureReason;
  });
}

async function drillHere(
  context: CommandContext,
  { metadata, store }: OpenedAll,
  records: readonly CataloguedSnapshot[],
): Promise<readonly Result[]> {
  const { configuration, clock, ids } = context;
  const never = new AbortController().signal;
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
  try {
    return await drillEach(context, records, async ({ snapshot, deployment }) => {
      const trial = restoreOnTrial({ repository: store, host }, ids.objectId(), snapshot.manifestKey ?? "", never);
      const failureReason = await trial.then(() => undefined, reasonOf);
      const result = { deploymentId: deployment.id, snapshotId: snapshot.id, atMs: clock.nowMs(), failureReason };
      // A snapshot that the metadata does not know keeps no record of it.
      await metadata.transaction((inside) => recordDrill(inside, ids, result));
      return failureReason;
    });
  } finally {
    await host.close();
    await writeDueRecords({ metadata, repository: store, clock }, never);
  }
}
