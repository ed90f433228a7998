import type { Metadata, MetadataRecords } from "../ports/metadata/metadata.ts";
import type { CataloguedSnapshot, SnapshotRepository } from "../ports/snapshot-repository.ts";

export interface RecoverMetadataOptions {
  readonly metadata: Metadata;
  readonly repository: SnapshotRepository;
  /** Which data file of a deployment is the true one; undefined when it has none. */
  readonly generationOf: (deploymentId: string) => Promise<number | undefined>;
  /** When the next snapshot of a deployment is taken. */
  readonly nextSnapshotAtMs: number;
}

export interface RecoveredMetadata {
  readonly organizationIds: readonly string[];
  readonly projectIds: readonly string[];
  readonly deploymentIds: readonly string[];
  readonly snapshotIds: readonly string[];
  /** Snapshots that are in the metadata already, or were deleted there. */
  readonly knownCount: number;
  readonly damagedKeys: readonly string[];
}

/** Puts back what the store's catalogue has and the metadata has never known: organizations, projects, deployments and completed snapshots. Doing it again changes nothing. */
export async function recoverMetadata(options: RecoverMetadataOptions): Promise<RecoveredMetadata> {
  const { metadata, repository } = options;
  const recovered = {
    organizationIds: [] as string[],
    projectIds: [] as string[],
    deploymentIds: [] as string[],
    snapshotIds: [] as string[],
  };
  const damagedKeys: string[] = [];
  const records: CataloguedSnapshot[] = [];
  for await (const record of repository.catalogued((objectKey) => damagedKeys.push(objectKey))) records.push(record);
  const unknown = await metadata.snapshots.neverKnown(records.map(({ snapshot }) => snapshot.id));
  // Snapshots count up in the order in which they were taken, and a deployment is as its newest snapshot saw it.
  const missing = records.filter(({ snapshot }) => unknown.has(snapshot.id)).toSorted(byTime);
  const newest = new Map(missing.map((record) => [record.deployment.id, record]));
  for (const record of newest.values()) {
    const isHosted = record.deployment.kind === "serverless";
    const generation = isHosted ? await options.generationOf(record.deployment.id) : undefined;
    await metadata.transaction((inside) =>
      putParents(inside, record, generation ?? 1, options.nextSnapshotAtMs, recovered),
    );
  }
  for (const { snapshot, revision } of missing) {
    await metadata.snapshots.insert({
      ...snapshot,
      ...emptied(snapshot),
      parentManifestKey: undefined,
      catalogueRevision: revision,
      catalogueDue: false,
    });
    recovered.snapshotIds.push(snapshot.id);
  }
  return { ...recovered, knownCount: records.length - missing.length, damagedKeys };
}

/** Fields that are left out in the store when they are empty, or were not there yet when the record was written. */
function emptied(record: Partial<CataloguedSnapshot["snapshot"]>) {
  return {
    description: record.description,
    clusterTime: record.clusterTime,
    failureReason: record.failureReason,
    provenAtMs: record.provenAtMs,
    policyItemIds: record.policyItemIds ?? [],
    newestKept: record.newestKept ?? 1,
    hold: record.hold,
    drilledAtMs: record.drilledAtMs,
    drillFailureReason: record.drillFailureReason,
  };
}

async function putParents(
  records: MetadataRecords,
  { organization, project, deployment }: CataloguedSnapshot,
  generation: number,
  nextSnapshotAtMs: number,
  recovered: { readonly organizationIds: string[]; readonly projectIds: string[]; readonly deploymentIds: string[] },
): Promise<void> {
  if ((await records.organizations.find(organization.id)) === undefined) {
    await records.organizations.insert(organization);
    recovered.organizationIds.push(organization.id);
  }
  if ((await records.projects.find(project.id)) === undefined) {
    await records.projects.insert({ ...project, tags: project.tags });
    recovered.projectIds.push(project.id);
  }
  if ((await records.deployments.find(deployment.id)) !== undefined) return;
  const isExternal = deployment.kind === "external";
  await records.deployments.insert({
    ...deployment,
    tags: deployment.tags,
    port: deployment.port,
    backupPolicy: deployment.backupPolicy,
    owedPolicyItemIds: [],
    state: isExternal ? "DETACHED" : "IDLE",
    generation,
    nextSnapshotAtMs,
  });
  // How it is reached is in no store: somebody has to say it again.
  if (isExternal)
    await records.externalSources.insert({
      deploymentId: deployment.id,
      sealedConnectionString: undefined,
      hosts: [],
      replacedAtMs: deployment.createdAtMs,
      probe: undefined,
    });
  recovered.deploymentIds.push(deployment.id);
}

function byTime(one: CataloguedSnapshot, other: CataloguedSnapshot): number {
  return (
    one.snapshot.sequence - other.snapshot.sequence ||
    (one.snapshot.completedAtMs ?? 0) - (other.snapshot.completedAtMs ?? 0)
  );
}
