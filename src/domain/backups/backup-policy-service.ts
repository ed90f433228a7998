import type { Clock } from "../../ports/clock.ts";
import type { Ids } from "../../ports/ids.ts";
import type { BackupPolicy } from "../../ports/metadata/backup-policy.ts";
import type { DeploymentRecord } from "../../ports/metadata/deployment-records.ts";
import type { Metadata, MetadataRecords } from "../../ports/metadata/metadata.ts";
import type { SnapshotChanges, SnapshotRecord } from "../../ports/metadata/snapshot-records.ts";
import { clusterAlreadyRequestedDeletion } from "../deployments/errors.ts";
import type { RequireDeployment } from "../deployments/require-instance.ts";
import { changeCompletedSnapshot } from "./change-completed-snapshot.ts";
import { changedPolicy, type PolicyChanges } from "./changed-policy.ts";
import { policyOf, type PresetName, presetPolicy } from "./policy.ts";
import { expiresAtMs, scheduledRetention } from "./retention.ts";
import { nextSnapshotAtMs } from "./schedule.ts";

/** A deployment and the policy that counts for it. */
export interface DeploymentPolicy {
  readonly deployment: DeploymentRecord;
  readonly policy: BackupPolicy;
}

export interface PolicyUpdate extends PolicyChanges {
  /** Begins with this policy instead of the one that counts; the changes are made to it. */
  readonly preset?: PresetName | undefined;
  /** Whether snapshots taken before are kept as long as the new policy says of the items they were taken for. */
  readonly updateSnapshots?: boolean | undefined;
  /** Whether snapshots expire now that were taken for items of which none is left. */
  readonly deleteSnapshots?: boolean | undefined;
}

/** When deployments are backed up, and how long snapshots are kept. Every call throws what the service's `requireDeployment` throws for a deployment that is not there. */
export interface BackupPolicyService {
  get(projectId: string, deploymentName: string): Promise<DeploymentPolicy>;
  /** The deployment has a policy of its own from now on. Throws the errors of `changedPolicy`. */
  update(projectId: string, deploymentName: string, update: PolicyUpdate): Promise<DeploymentPolicy>;
  /** A policy without items: no scheduled snapshot is taken any more. */
  clear(projectId: string, deploymentName: string): Promise<DeploymentPolicy>;
  /** The policy of its kind counts again. */
  reset(projectId: string, deploymentName: string): Promise<DeploymentPolicy>;
}

export interface BackupPolicyServiceDependencies {
  readonly metadata: Metadata;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly requireDeployment: RequireDeployment;
}

/** Snapshots changed between two looks for more. */
const batch = 500;

export function createBackupPolicyService(dependencies: BackupPolicyServiceDependencies): BackupPolicyService {
  const { metadata, clock, ids, requireDeployment } = dependencies;

  const change = (
    projectId: string,
    name: string,
    update: (deployment: DeploymentRecord) => BackupPolicy | undefined,
    ofSnapshots: Pick<PolicyUpdate, "updateSnapshots" | "deleteSnapshots"> = {},
  ): Promise<DeploymentPolicy> =>
    metadata.transaction(async (records) => {
      const before = await requireDeployment(records, projectId, name);
      if (before.state === "DELETING") throw clusterAlreadyRequestedDeletion(name);
      const backupPolicy = update(before);
      const policy = policyOf({ ...before, backupPolicy });
      await records.deployments.update(before.id, {
        backupPolicy,
        nextSnapshotAtMs: nextSnapshotAtMs(policy, clock.nowMs()),
        owedPolicyItemIds: before.owedPolicyItemIds.filter((id) => policy.items.some((item) => item.id === id)),
      });
      if (ofSnapshots.updateSnapshots === true || ofSnapshots.deleteSnapshots === true)
        await changeSnapshots(records, before.id, (snapshot) => retentionChanges(policy, snapshot, ofSnapshots));
      // Who loses the metadata finds the deployment as the record of its newest snapshot says.
      const newest = await records.snapshots.newestCompleted(before.id);
      if (newest !== undefined) await changeCompletedSnapshot(records, ids, newest, {}, clock.nowMs());
      return { deployment: await requireDeployment(records, projectId, name), policy };
    });

  return {
    get: async (projectId, name) => {
      const deployment = await requireDeployment(metadata, projectId, name);
      return { deployment, policy: policyOf(deployment) };
    },
    update: (projectId, name, { preset, updateSnapshots, deleteSnapshots, ...changes }) =>
      change(
        projectId,
        name,
        (deployment) => {
          const from = preset === undefined ? policyOf(deployment) : presetPolicy(preset, deployment);
          return changedPolicy(from, changes, () => ids.objectId());
        },
        { updateSnapshots, deleteSnapshots },
      ),
    clear: (projectId, name) => change(projectId, name, (deployment) => ({ ...policyOf(deployment), items: [] })),
    reset: (projectId, name) => change(projectId, name, () => undefined),
  };

  async function changeSnapshots(
    records: MetadataRecords,
    deploymentId: string,
    changesOf: (snapshot: SnapshotRecord) => SnapshotChanges | undefined,
  ): Promise<void> {
    let sequence = 0;
    for (;;) {
      const some = await records.snapshots.scheduledAfter(deploymentId, sequence, batch);
      for (const snapshot of some) {
        const changes = changesOf(snapshot);
        if (changes !== undefined) await changeCompletedSnapshot(records, ids, snapshot, changes, clock.nowMs());
        sequence = snapshot.sequence;
      }
      if (some.length < batch) return;
    }
  }

  function retentionChanges(
    policy: BackupPolicy,
    { completedAtMs, policyItemIds }: SnapshotRecord,
    { updateSnapshots, deleteSnapshots }: Pick<PolicyUpdate, "updateSnapshots" | "deleteSnapshots">,
  ): SnapshotChanges | undefined {
    const items = policy.items.filter(({ id }) => policyItemIds.includes(id));
    if (completedAtMs === undefined || policyItemIds.length === 0) return undefined;
    if (items.length === 0) return deleteSnapshots === true ? { expiresAtMs: clock.nowMs() } : undefined;
    if (updateSnapshots !== true) return undefined;
    const { retentionMs, newestKept } = scheduledRetention(policy, items, completedAtMs);
    return { retentionMs, newestKept, expiresAtMs: expiresAtMs(completedAtMs, retentionMs) };
  }
}
