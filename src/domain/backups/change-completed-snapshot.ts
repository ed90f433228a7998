import type { Ids } from "../../ports/ids.ts";
import type { MetadataRecords } from "../../ports/metadata/metadata.ts";
import type { SnapshotChanges, SnapshotRecord } from "../../ports/metadata/snapshot-records.ts";

/**
 * Changes the record of a completed snapshot and has the store told, whose copy gets the next revision: who loses the metadata finds the change there. To be called in a
 * transaction.
 */
export async function changeCompletedSnapshot(
  records: MetadataRecords,
  ids: Ids,
  snapshot: SnapshotRecord,
  changes: SnapshotChanges,
  nowMs: number,
): Promise<void> {
  await records.snapshots.update(snapshot.id, {
    ...changes,
    catalogueRevision: snapshot.catalogueRevision + 1,
    catalogueDue: true,
  });
  await requestCataloguing(records, ids, nowMs);
}

/** Asks for the store to be told of every change that it has not heard of, unless that is asked for already. To be called in a transaction. */
export async function requestCataloguing(records: MetadataRecords, ids: Ids, atMs: number): Promise<void> {
  // One that is under way finishes in a transaction that finds nothing left, so it sees what is changed now.
  if (await records.jobs.unfinishedOf("catalogueSnapshots")) return;
  await records.jobs.insert({
    id: ids.objectId(),
    kind: "catalogueSnapshots",
    subjectId: "store",
    exclusiveKey: "catalogue",
    runAtMs: atMs,
  });
}
