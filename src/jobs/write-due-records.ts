import type { Metadata } from "../ports/metadata/metadata.ts";
import type { SnapshotRecord } from "../ports/metadata/snapshot-records.ts";
import type { SnapshotRepository } from "../ports/snapshot-repository.ts";

export interface WriteDueRecordsParts {
  readonly metadata: Metadata;
  readonly repository: SnapshotRepository;
}

const batch = 100;

/** Writes the store's copy of every completed snapshot whose record has changed since. May be done twice: the highest revision counts. */
export async function writeDueRecords(
  { metadata, repository }: WriteDueRecordsParts,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    const due = await metadata.snapshots.catalogueDue(batch);
    for (const snapshot of due) {
      signal.throwIfAborted();
      await writeRecord(metadata, repository, snapshot);
    }
    if (due.length < batch) return;
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
