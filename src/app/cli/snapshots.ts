import type { CataloguedSnapshot } from "../../ports/snapshot-repository.ts";
import type { BackupStore } from "../../backup-store/index.ts";
import { exitCodes } from "../exit-codes.ts";
import type { CliCommand } from "./command.ts";
import { sizeText, table, timeText } from "./output.ts";

/** Records of every snapshot in the store, newest first, and those that cannot be read. */
export async function readCatalogue(
  store: BackupStore,
): Promise<{ readonly records: CataloguedSnapshot[]; readonly damagedKeys: string[] }> {
  const damagedKeys: string[] = [];
  const records: CataloguedSnapshot[] = [];
  for await (const record of store.catalogued((key) => damagedKeys.push(key))) records.push(record);
  records.sort((one, other) => (other.snapshot.completedAtMs ?? 0) - (one.snapshot.completedAtMs ?? 0));
  return { records, damagedKeys };
}

export const snapshots: CliCommand = {
  name: "snapshots",
  parameters: "",
  description: "Lists the completed snapshots that the store holds, newest first; works beside a running server.",
  flags: {},
  async run({ output, openStoreForReading }) {
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
        })),
        damagedRecords: damagedKeys,
      },
      () => [
        ...table(
          ["ID", "PROJECT", "INSTANCE", "COMPLETED", "EXPIRES", "TYPE", "CONSISTENCY", "SIZE", "ADDED"],
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
          ]),
        ),
        ...damagedKeys.map((key) => `damaged record: ${key}`),
      ],
    );
    return damagedKeys.length > 0 ? exitCodes.damaged : exitCodes.ok;
  },
};
