import { garbageGraceMs, garbageRequest } from "../../jobs/garbage-request.ts";
import { exitCodes } from "../exit-codes.ts";
import { type CliCommand, numberFlag } from "./command.ts";
import { sizeText, timeText } from "./output.ts";

export const gc: CliCommand = {
  name: "gc",
  parameters: "[--dry-run] [--grace-hours N] [--repack N]",
  description:
    "Deletes what no snapshot needs and was found so long ago (24 hours), and writes up to N mostly dead packs anew. The server must be stopped; it does the same by itself.",
  flags: { "dry-run": false, "grace-hours": true, repack: true },
  async run({ flags, clock, output, openAll }) {
    const graceMs = numberFlag(flags, "grace-hours", garbageGraceMs / 3_600_000) * 3_600_000;
    const repacksMax = numberFlag(flags, "repack", 4);
    const dryRun = flags.has("dry-run");
    const { metadata, store } = await openAll();
    const request = garbageRequest({ metadata, clock });
    const report = await store.collectGarbage({ ...request, graceMs, repacksMax, dryRun });
    output.result({ dryRun, ...report }, () => [
      `${dryRun ? "would delete" : "deleted"} ${report.deletedObjectCount} objects, ${sizeText(report.deletedSizeBytes)}`,
      `waiting: ${report.waitingObjectCount} objects, ${sizeText(report.waitingSizeBytes)}${report.nextAtMs === undefined ? "" : `, the first until ${timeText(report.nextAtMs)}`}`,
      ...(report.lockedObjectCount === 0
        ? []
        : [
            `locked by the store, with what belongs to them: ${report.lockedObjectCount} objects, ${sizeText(report.lockedSizeBytes)}`,
          ]),
      `packs written anew: ${report.repackedPackCount}, ${sizeText(report.repackedSizeBytes)} less once the older ones are deleted`,
      ...report.unknownSnapshotIds.map((id) => `snapshot ${id} is not in the metadata and is kept (telamon recover)`),
    ]);
    return exitCodes.ok;
  },
};
