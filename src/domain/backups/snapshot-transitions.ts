import type { Clock } from "../../ports/clock.ts";
import type { Ids } from "../../ports/ids.ts";
import type { DeploymentRecord } from "../../ports/metadata/deployment-records.ts";
import type { LeasedJob } from "../../ports/metadata/job-records.ts";
import type { Metadata, MetadataRecords } from "../../ports/metadata/metadata.ts";
import type { OrganizationRecord, ProjectRecord } from "../../ports/metadata/project-records.ts";
import type { SnapshotRecord } from "../../ports/metadata/snapshot-records.ts";
import type { CommittedSnapshot, SnapshotFacts } from "../../ports/snapshot-repository.ts";
import { completion } from "./completed-snapshot.ts";
import { queueSnapshot } from "./queue-snapshot.ts";
import { policyOf } from "./policy.ts";
import { scheduledRetention } from "./retention.ts";
import { correctedNextSnapshotAtMs, itemsDue, nextSnapshotAtMs, retryAtMs } from "./schedule.ts";

/** A snapshot that this lease may take now. */
export interface SnapshotInHand {
  readonly snapshot: SnapshotRecord;
  readonly deployment: DeploymentRecord;
  readonly project: ProjectRecord;
  readonly organization: OrganizationRecord;
  /** Manifest of the newest completed snapshot of the deployment, whose data can be shared. */
  readonly parentManifestKey: string | undefined;
}

/**
 * The only way a snapshot changes its status. Each is one transaction, fenced by the lease: who has lost the job changes nothing.
 * Jobs of kind `takeSnapshot` have the snapshot's id as subject and the deployment's id as exclusive key.
 */
export interface SnapshotTransitions {
  /** Makes plans that lie too far ahead anew, for when the clock was set back; answers how many. */
  correctPlans(): Promise<number>;
  /**
   * Queues a scheduled snapshot of a due deployment and plans the next one, in one transaction. Undefined, and nothing happens, when it is
   * not due any more. While a scheduled one still waits only the plan moves on, so that nothing piles up.
   */
  queueScheduled(deploymentId: string): Promise<SnapshotRecord | undefined>;
  /**
   * `inProgress`. Undefined when there is nothing left to do (the lease is lost, the snapshot is gone or has ended, or the deployment is being
   * deleted, which fails it); a job still held is finished then.
   */
  begin(job: LeasedJob): Promise<SnapshotInHand | undefined>;
  /**
   * `completed` with what was committed at `completedAtMs` (the time that the store's copy of the record has), and the job finished. False when the lease is lost or the
   * snapshot is no longer under way; it stays as it was then.
   */
  complete(job: LeasedJob, committed: CommittedSnapshot, facts: SnapshotFacts, completedAtMs: number): Promise<boolean>;
  /** `failed` with one sentence for people, and the job finished. False when the lease is lost or the snapshot is no longer under way. */
  fail(job: LeasedJob, reason: string): Promise<boolean>;
}

export interface SnapshotTransitionsDependencies {
  readonly metadata: Metadata;
  readonly clock: Clock;
  readonly ids: Ids;
}

export function createSnapshotTransitions(dependencies: SnapshotTransitionsDependencies): SnapshotTransitions {
  const { metadata, clock, ids } = dependencies;
  return {
    correctPlans: () =>
      metadata.transaction(async (records) => {
        const nowMs = clock.nowMs();
        let corrected = 0;
        for (const deployment of await records.deployments.all()) {
          const { id, createdAtMs, nextSnapshotAtMs: plannedAtMs } = deployment;
          const rightAtMs = correctedNextSnapshotAtMs(policyOf(deployment), createdAtMs, plannedAtMs, nowMs);
          if (rightAtMs === plannedAtMs) continue;
          await records.deployments.update(id, { nextSnapshotAtMs: rightAtMs });
          corrected += 1;
        }
        return corrected;
      }),
    queueScheduled: (deploymentId) =>
      metadata.transaction(async (records) => {
        const nowMs = clock.nowMs();
        const deployment = await records.deployments.find(deploymentId);
        if (deployment?.state !== "IDLE" || deployment.nextSnapshotAtMs > nowMs) return undefined;
        const policy = policyOf(deployment);
        const due = itemsDue(policy, deployment.owedPolicyItemIds, deployment.nextSnapshotAtMs, nowMs);
        const waits = due.length === 0 || (await records.snapshots.hasUnfinishedScheduled(deploymentId));
        await records.deployments.update(deploymentId, {
          nextSnapshotAtMs: nextSnapshotAtMs(policy, nowMs),
          owedPolicyItemIds: waits ? due.map(({ id }) => id) : [],
        });
        if (waits) return undefined;
        return queueSnapshot(records, ids, {
          deploymentId,
          snapshotType: "scheduled",
          description: undefined,
          requestedAtMs: nowMs,
          ...scheduledRetention(policy, due, nowMs),
        });
      }),
    begin: (job) =>
      metadata.transaction(async (records) => {
        if (!(await records.jobs.holds(job))) return undefined;
        const snapshot = await unfinishedSnapshot(records, job);
        const deployment = await records.deployments.find(job.exclusiveKey);
        if (snapshot === undefined || deployment === undefined) {
          await records.jobs.finish(job);
          return undefined;
        }
        if (deployment.state === "DELETING" || deployment.state === "DETACHED") {
          const why = deployment.state === "DELETING" ? "being deleted" : "detached";
          await markFailed(records, job, `The ${nounOf(deployment)} is ${why}.`, clock.nowMs());
          return undefined;
        }
        const project = await records.projects.find(deployment.projectId);
        const organization = await records.organizations.find(project?.organizationId ?? "");
        if (project === undefined || organization === undefined)
          throw new Error("The deployment's project is not there.");
        // Kept with the record, and the same when asked again: what it may share must stay, though the parent expires meanwhile.
        const parentManifestKey =
          snapshot.parentManifestKey ?? (await records.snapshots.newestCompleted(deployment.id))?.manifestKey;
        await records.snapshots.update(snapshot.id, { status: "inProgress", parentManifestKey });
        return {
          snapshot: { ...snapshot, status: "inProgress" as const },
          deployment,
          project,
          organization,
          parentManifestKey,
        };
      }),
    complete: (job, committed, facts, completedAtMs) =>
      metadata.transaction(async (records) => {
        // Finishing is the fence: it does nothing and says so when another has leased the job since.
        if (!(await records.jobs.finish(job))) return false;
        const snapshot = await unfinishedSnapshot(records, job);
        if (snapshot === undefined) return false;
        await records.snapshots.update(snapshot.id, {
          ...completion(snapshot, committed, facts, completedAtMs),
          // The store's copy was written under the same number.
          catalogueRevision: job.leaseToken,
        });
        return true;
      }),
    fail: (job, reason) => metadata.transaction((records) => markFailed(records, job, reason, clock.nowMs())),
  };
}

function nounOf({ kind }: DeploymentRecord): string {
  return kind === "serverless" ? "instance" : "deployment";
}

/** What a failed one was taken for is owed, and tried again before long. */
async function markFailed(records: MetadataRecords, job: LeasedJob, reason: string, nowMs: number): Promise<boolean> {
  if (!(await records.jobs.finish(job))) return false;
  const snapshot = await unfinishedSnapshot(records, job);
  if (snapshot === undefined) return false;
  await records.snapshots.update(snapshot.id, {
    status: "failed",
    failureReason: reason,
    parentManifestKey: undefined,
  });
  const deployment = await records.deployments.find(snapshot.deploymentId);
  if (snapshot.snapshotType === "scheduled" && deployment !== undefined)
    await records.deployments.update(deployment.id, {
      owedPolicyItemIds: [...new Set([...deployment.owedPolicyItemIds, ...snapshot.policyItemIds])],
      nextSnapshotAtMs: retryAtMs(policyOf(deployment), deployment.nextSnapshotAtMs, nowMs),
    });
  return true;
}

/** The job's snapshot while it is queued or in progress. */
async function unfinishedSnapshot(records: MetadataRecords, job: LeasedJob): Promise<SnapshotRecord | undefined> {
  const snapshot = await records.snapshots.find(job.exclusiveKey, job.subjectId);
  return snapshot?.status === "queued" || snapshot?.status === "inProgress" ? snapshot : undefined;
}
