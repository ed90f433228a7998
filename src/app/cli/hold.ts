import { createSnapshotCareService } from "../../domain/backups/snapshot-care-service.ts";
import { writeDueRecords } from "../../jobs/write-due-records.ts";
import type { CataloguedSnapshot } from "../../ports/snapshot-repository.ts";
import { ConfigurationError } from "../configuration.ts";
import { exitCodes } from "../exit-codes.ts";
import { connectToApi } from "./api-client.ts";
import type { CommandContext, OpenedAll } from "./command.ts";
import { timeText } from "./output.ts";
import { carePath, type ShownCare } from "./shown-care.ts";
import { readCatalogue } from "./read-catalogue.ts";

type Hold = ShownCare["hold"];

/** `telamon snapshots hold SNAPSHOT-ID --reason TEXT`: through the server while it runs. */
export async function hold(context: CommandContext, snapshotId: string): Promise<number> {
  const reason = context.flags.get("reason");
  if (reason === undefined) throw new ConfigurationError(["snapshots hold needs --reason TEXT"]);
  const held = await change(context, snapshotId, {
    byServer: (api, path) => api.call<ShownCare>("POST", `${path}/hold`, { reason }).then((shown) => shown.hold),
    here: async (care, { project, deployment }) => {
      const request = { by: "command line", reason };
      const snapshot = await care.hold(project.id, deployment.name, snapshotId, request);
      return { heldAt: timeText(snapshot.hold?.atMs), heldBy: request.by, reason };
    },
  });
  context.output.result({ id: snapshotId, hold: held }, () => [
    `${snapshotId} is held by ${held?.heldBy}: ${held?.reason}`,
  ]);
  return exitCodes.ok;
}

/** `telamon snapshots release SNAPSHOT-ID`. */
export async function release(context: CommandContext, snapshotId: string): Promise<number> {
  await change(context, snapshotId, {
    byServer: (api, path) => api.call<ShownCare>("DELETE", `${path}/hold`).then((shown) => shown.hold),
    here: async (care, { project, deployment }) => {
      await care.release(project.id, deployment.name, snapshotId);
      return undefined;
    },
  });
  context.output.result({ id: snapshotId, hold: null }, () => [`${snapshotId} is held no more`]);
  return exitCodes.ok;
}

interface Ways {
  readonly byServer: (api: Awaited<ReturnType<typeof connectToApi>>, path: string) => Promise<Hold>;
  readonly here: (care: ReturnType<typeof createSnapshotCareService>, record: CataloguedSnapshot) => Promise<Hold>;
}

async function change(context: CommandContext, snapshotId: string, { byServer, here }: Ways): Promise<Hold> {
  const opened = await context.openAllUnlessServed();
  const record = await findRecord(context, opened, snapshotId);
  if (opened === undefined)
    return byServer(await connectToApi(context.configuration.dataDirectory, process.env), carePath(record));
  const { metadata, store } = opened;
  const done = await here(createSnapshotCareService({ metadata, clock: context.clock, ids: context.ids }), record);
  await writeDueRecords({ metadata, repository: store, clock: context.clock }, new AbortController().signal);
  return done;
}

async function findRecord(
  { openStoreForReading }: CommandContext,
  opened: OpenedAll | undefined,
  snapshotId: string,
): Promise<CataloguedSnapshot> {
  const { records } = await readCatalogue(opened?.store ?? (await openStoreForReading()));
  const record = records.find(({ snapshot }) => snapshot.id === snapshotId);
  if (record === undefined) throw new Error(`the store has no snapshot ${snapshotId}`);
  return record;
}
