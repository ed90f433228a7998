import { deserialize, EJSON } from "bson";
import type { Damage } from "../../ports/snapshot-repository.ts";
import { exitCodes } from "../exit-codes.ts";
import type { CliCommand } from "./command.ts";
import { sizeText } from "./output.ts";
import { readCatalogue } from "./read-catalogue.ts";

export const verify: CliCommand = {
  name: "verify",
  parameters: "",
  description:
    "Reads and authenticates every byte of the store, and tells which snapshots, collections and _id ranges are hurt.",
  flags: {},
  async run({ output, openStoreForReading }) {
    const store = await openStoreForReading();
    const { records } = await readCatalogue(store);
    const manifestKeys = new Set(records.map(({ snapshot }) => snapshot.manifestKey ?? ""));
    const report = await store.verify({
      manifestKeys,
      onProgress: ({ objectCount, sizeBytes }) => output.progress(`${objectCount} objects, ${sizeText(sizeBytes)}`),
    });
    output.result({ ...report, damages: report.damages.map(plain) }, () => [
      `${report.objectCount} objects, ${sizeText(report.sizeBytes)}, ${report.snapshotCount} snapshots: ${report.damages.length === 0 ? "all is well" : `${report.damages.length} damaged`}`,
      ...report.damages.flatMap(lines),
    ]);
    return report.damages.length === 0 ? exitCodes.ok : exitCodes.damaged;
  },
};

function lines(damage: Damage): string[] {
  const { lostSnapshotIds, ranges, rangesLeftOut } = damage;
  return [
    damage.reason,
    ...lostSnapshotIds.map((id) => `  snapshot ${id}: lost`),
    ...ranges.map(
      (range) =>
        `  snapshot ${range.snapshotId}: ${range.documentCount} documents of ${range.database}.${range.collection}, _id from ${idText(range.fromId)} ${range.toId === undefined ? "to the end" : `to before ${idText(range.toId)}`}`,
    ),
    ...(rangesLeftOut > 0 ? [`  and ${rangesLeftOut} ranges more`] : []),
    ...(lostSnapshotIds.length + ranges.length === 0 ? ["  no document is hurt"] : []),
  ];
}

function plain(damage: Damage): object {
  return {
    ...damage,
    ranges: damage.ranges.map((range) => ({
      ...range,
      fromId: idText(range.fromId),
      toId: range.toId === undefined ? null : idText(range.toId),
    })),
  };
}

/** The `_id` as extended JSON, or its bytes when they are cut. */
export function idText(firstId: Uint8Array): string {
  const bytes = Buffer.alloc(firstId.length + 5);
  bytes.writeInt32LE(bytes.length, 0);
  bytes.set(firstId, 4);
  try {
    return EJSON.stringify((deserialize(bytes) as { _id?: unknown })._id);
  } catch {
    return `bytes ${Buffer.from(firstId).toString("hex")}`;
  }
}
