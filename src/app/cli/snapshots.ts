import type { SnapshotRecord } from "../../ports/metadata/snapshot-records.ts";
import { exitCodes } from "../exit-codes.ts";
import { ConfigurationError } from "../configuration.ts";
import type { CliCommand, CommandContext } from "./command.ts";
import { hold, release } from "./hold.ts";
import { sizeText, table, timeText } from "./output.ts";
import { readCatalogue } from "./read-catalogue.ts";

export const snapshots: CliCommand = {
  name: "snapshots",
  parameters: "[hold SNAPSHOT-ID --reason TEXT | release SNAPSHOT-ID]",
  description:
    "Lists the completed snapshots that the store holds, newest first, with holds and proofs as the store was told of them; or holds one, so that it neither expires nor can be deleted, or lets go of it. Works beside a running server.",
  flags: { reason: true },
  async run(context) {
    const [action, snapshotId, ...rest] = context.words;
    if (action === undefined) return list(context);
    if (action === "hold" && snapshotId !== undefined && rest.length === 0) return hold(context, snapshotId);
    if (action === "release" && snapshotId !== undefined && rest.length === 0) return release(context, snapshotId);
    throw new ConfigurationError(["snapshots takes nothing, or hold or release and one snapshot's id"]);
  },
};

async function list({ output, openStoreForReading }: CommandContext): Promise<number> {
  const { records, damagedKeys } = await readCatalogue(await openStoreForReading());
  output.result(
    {
      snapshots: records.map(({ organization, project, deployment, snapshot }) => ({
        id: snapshot.id,
        organization: { id: organization.id, name: organization.name },
        project: { id: project.id, name: project.name },
        deployment: { id: deployment.id, name: deployment.name, kind: deployment.kind },
        snapshotType: snapshot.snapshotType,
        frequencyType: snapshot.frequencyType,
        createdAt: timeText(snapshot.createdAtMs),
        completedAt: timeText(snapshot.completedAtMs),
        expiresAt: timeText(snapshot.expiresAtMs),
        consistency: snapshot.consistency,
        storageSizeBytes: snapshot.storageSizeBytes,
        addedSizeBytes: snapshot.addedSizeBytes,
        manifestKey: snapshot.manifestKey,
        hold:
          snapshot.hold === undefined
            ? null
            : {
                heldAt: timeText(snapshot.hold.atMs),
                heldBy: snapshot.hold.by,
                reason: snapshot.hold.reason,
              },
        lastProvenAt: snapshot.provenAtMs === undefined ? null : timeText(snapshot.provenAtMs),
        lastTriedAt: snapshot.drilledAtMs === undefined ? null : timeText(snapshot.drilledAtMs),
        drillFailureReason: snapshot.drillFailureReason ?? null,
      })),
      damagedRecords: damagedKeys,
    },
    () => [
      ...table(
        ["ID", "PROJECT", "INSTANCE", "COMPLETED", "EXPIRES", "TYPE", "CONSISTENCY", "SIZE", "ADDED", "PROVEN", "HELD"],
        records.map(({ project, deployment, snapshot }) => [
          snapshot.id,
          project.name,
          deployment.name,
          timeText(snapshot.completedAtMs),
          timeText(snapshot.expiresAtMs),
          snapshot.frequencyType,
          snapshot.consistency ?? "-",
          sizeText(snapshot.storageSizeBytes),
          sizeText(snapshot.addedSizeBytes),
          provenText(snapshot),
          snapshot.hold?.reason ?? "-",
        ]),
      ),
      ...damagedKeys.map((key) => `damaged record: ${key}`),
    ],
  );
  return damagedKeys.length > 0 ? exitCodes.damaged : exitCodes.ok;
}

/** When it was last proven restorable, and that its last trial failed when it did. */
function provenText({ provenAtMs, drillFailureReason }: Partial<SnapshotRecord>): string {
  return drillFailureReason === undefined ? timeText(provenAtMs) : "FAILED";
}
