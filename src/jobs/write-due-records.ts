import { keptUntilMs } from "../domain/backups/kept-until.ts";
import type { Clock } from "../ports/clock.ts";
import type { Metadata } from "../ports/metadata/metadata.ts";
import type { SnapshotRecord } from "../ports/metadata/snapshot-records.ts";
import { SnapshotDamaged, type SnapshotRepository } from "../ports/snapshot-repository.ts";

export interface WriteDueRecordsParts {
  readonly metadata: Metadata;
  readonly repository: SnapshotRepository;
  readonly clock: Clock;
}

const batch = 100;

/** Writes the store's copy of every completed snapshot whose record has changed since, and has its locks last as long as it stays now. May be done twice: the highest revision counts. */
export async function writeDueRecords(parts: WriteDueRecordsParts, signal: AbortSignal): Promise<void> {
  const { metadata, repository } = parts;
  for (;;) {
    const due = await metadata.snapshots.catalogueDue(batch);
    for (const snapshot of due) {
      signal.throwIfAborted();
      await renewLocks(parts, snapshot, signal);
      await writeRecord(metadata, repository, snapshot);
    }
    if (due.length < batch) return;
  }
}

async function renewLocks(
  { repository, clock }: WriteDueRecordsParts,
  snapshot: SnapshotRecord,
  signal: AbortSignal,
): Promise<void> {
  if (repository.locks === undefined || snapshot.manifestKey === undefined) return;
  // Whether it is among the newest, which stay for longer, is not looked at here: those are seen to every day.
  const kept = {
    manifestKey: snapshot.manifestKey,
    keptUntilMs: keptUntilMs(snapshot, Number.POSITIVE_INFINITY),
  };
  try {
    await repository.locks.renew(kept, clock.nowMs(), signal);
  } catch (error) {
    // What is missing cannot be locked, and must not keep the record from being written; the daily look and `verify` tell of it.
    if (!(error instanceof SnapshotDamaged)) throw error;
  }
}

async function writeRecord(
  metadata: Metadata,
  repository: SnapshotRepository,
  snapshot: SnapshotRecord,
): Promise<void> {
  const deployment = await metadata.deployments.find(snapshot.deploymentId);
  const project = await metadata.projects.find(deployment?.projectId ?? "");
  const organization = await metadata.organizations.find(project?.organizationId ?? "");
  if (deployment === undefined || project === undefined || organization === undefined)
    throw new Error("The snapshot's deployment, project or organization is not there.");
  await repository.catalogue({
    revision: snapshot.catalogueRevision,
    organization,
    project,
    deployment,
    snapshot: { ...snapshot, catalogueDue: false },
  });
  await metadata.transaction(async ({ snapshots }) => {
    const now = await snapshots.find(snapshot.deploymentId, snapshot.id);
    if (now?.catalogueRevision === snapshot.catalogueRevision)
      await snapshots.update(snapshot.id, { catalogueDue: false });
  });
}
