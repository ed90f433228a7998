import type { BackupStore } from "../../backup-store/index.ts";
import type { CataloguedSnapshot } from "../../ports/snapshot-repository.ts";

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
