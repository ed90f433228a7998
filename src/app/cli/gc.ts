import { garbageGraceMs, repacksDefault } from "../../domain/backups/garbage-collection-service.ts";
import { garbageRequest } from "../../jobs/garbage-request.ts";
import type { GarbageReport } from "../../ports/snapshot-repository.ts";
import { exitCodes } from "../exit-codes.ts";
import { connectToApi } from "./api-client.ts";
import { type CliCommand, type CommandContext, numberFlag } from "./command.ts";
import { sizeText, timeText } from "./output.ts";
import { untilEnded } from "./until-ended.ts";

const hourMs = 3_600_000;

interface Options {
  readonly dryRun: boolean;
  readonly graceHours: number;
  readonly maximumRepacks: number;
}

export const gc: CliCommand = {
  name: "gc",
  parameters: "[--dry-run] [--grace-hours N] [--repack N]",
  description:
    "Deletes what no snapshot needs and was found so long ago (24 hours), and writes up to N mostly dead packs anew. Done by the server while it runs.",
  flags: { "dry-run": false, "grace-hours": true, repack: true },
  async run(context) {
    const { flags, clock, output, openAllUnlessServed } = context;
    const options = {
      dryRun: flags.has("dry-run"),
      graceHours: numberFlag(flags, "grace-hours", garbageGraceMs / hourMs),
      maximumRepacks: numberFlag(flags, "repack", repacksDefault),
    };
    const { dryRun, graceHours, maximumRepacks: repacksMax } = options;
    const opened = await openAllUnlessServed();
    const report =
      opened === undefined
        ? await collectByServer(context, options)
        : await opened.store.collectGarbage({
            ...garbageRequest({ metadata: opened.metadata, clock }),
            graceMs: graceHours * hourMs,
            repacksMax,
            dryRun,
          });
    output.result({ dryRun, ...report }, () => lines(report, dryRun));
    return exitCodes.ok;
  },
};

/** What the API answers of a collection. */
interface ShownCollection {
  readonly id: string;
  readonly status: string;
  readonly failureReason?: string;
  readonly report?: Omit<GarbageReport, "nextAtMs"> & { readonly nextAt?: string };
}

async function collectByServer({ configuration, output }: CommandContext, options: Options): Promise<GarbageReport> {
  const api = await connectToApi(configuration.dataDirectory, process.env);
  const base = "/api/telamon/v1/store/garbageCollections";
  const { id } = await api.call<ShownCollection>("POST", base, options);
  const { report, failureReason } = await untilEnded<ShownCollection>({ api, output }, `${base}/${id}`);
  if (report === undefined) throw new Error(failureReason ?? "the server gave no reason");
  const { nextAt, ...counts } = report;
  return { ...counts, nextAtMs: nextAt === undefined ? undefined : Date.parse(nextAt) };
}

function lines(report: GarbageReport, dryRun: boolean): readonly string[] {
  const next = report.nextAtMs === undefined ? "" : `, the first until ${timeText(report.nextAtMs)}`;
  return [
    `${dryRun ? "would delete" : "deleted"} ${report.deletedObjectCount} objects, ${sizeText(report.deletedSizeBytes)}`,
    `waiting: ${report.waitingObjectCount} objects, ${sizeText(report.waitingSizeBytes)}${next}`,
    ...(report.lockedObjectCount === 0
      ? []
      : [
          `locked by the store, with what belongs to them: ${report.lockedObjectCount} objects, ${sizeText(report.lockedSizeBytes)}`,
        ]),
    `packs written anew: ${report.repackedPackCount}, ${sizeText(report.repackedSizeBytes)} less once the older ones are deleted`,
    ...report.unknownSnapshotIds.map((id) => `snapshot ${id} is not in the metadata and is kept (telamon recover)`),
  ];
}
