import type { Clock } from "../../ports/clock.ts";
import type { Ids } from "../../ports/ids.ts";
import type { DeploymentRecord } from "../../ports/metadata/deployment-records.ts";
import type { Metadata } from "../../ports/metadata/metadata.ts";
import type { RestoreJobRecord } from "../../ports/metadata/restore-job-records.ts";
import type { Page, PageRequest } from "../../shared/page.ts";
import { invalidEnumValue, missingAttribute } from "../attributes/errors.ts";
import { isObjectId } from "../attributes/object-id.ts";
import { clusterAlreadyRequestedDeletion } from "../deployments/errors.ts";
import { requireInstance } from "../deployments/require-instance.ts";
import { invalidGroupId } from "../projects/errors.ts";
import {
  cannotRestoreToTarget,
  clusterRestoreInProgress,
  incompleteSnapshot,
  invalidJobId,
  restoreJobNotFound,
  unsupportedDeliveryMethod,
} from "./errors.ts";
import { requireSnapshot } from "./require-snapshot.ts";

export interface CreateRestoreJob {
  /** `automated`; `download` and `pointInTime` are refused as not implemented. */
  readonly deliveryType: string;
  readonly snapshotId?: string | undefined;
  readonly targetProjectId: string;
  /** Name of the instance whose data is replaced. */
  readonly targetName: string;
}

/** Whether the caller may replace data in that project; asked before anything about the target is looked up. */
export type MayRestoreTo = (projectId: string) => boolean | Promise<boolean>;

/** Every call throws `SERVERLESS_INSTANCE_NOT_FOUND` when the project has no instance of that name. */
export interface RestoreJobService {
  /** Restores of this instance's snapshots, newest first. */
  list(projectId: string, instanceName: string, page: PageRequest): Promise<Page<RestoreJobRecord>>;
  /** Throws `INVALID_JOB_ID` for what is no id, `RESTORE_JOB_NOT_FOUND`. */
  get(projectId: string, instanceName: string, restoreJobId: string): Promise<RestoreJobRecord>;
  /** Answers the unfinished record; a `restore` job carries it out. Throws `CANNOT_RESTORE_TO_TARGET`, `ATLAS_CLUSTER_RESTORE_IN_PROGRESS` and others. */
  create(
    projectId: string,
    instanceName: string,
    request: CreateRestoreJob,
    mayRestoreTo: MayRestoreTo,
  ): Promise<RestoreJobRecord>;
}

export interface RestoreJobServiceDependencies {
  readonly metadata: Metadata;
  readonly clock: Clock;
  readonly ids: Ids;
}

export function createRestoreJobService({ metadata, clock, ids }: RestoreJobServiceDependencies): RestoreJobService {
  return {
    list: async (projectId, instanceName, page) => {
      const instance = await requireInstance(metadata, projectId, instanceName);
      return metadata.restoreJobs.page(instance.id, page);
    },
    get: async (projectId, instanceName, restoreJobId) => {
      const instance = await requireInstance(metadata, projectId, instanceName);
      if (!isObjectId(restoreJobId)) throw invalidJobId(restoreJobId);
      const job = await metadata.restoreJobs.find(instance.id, restoreJobId);
      if (job === undefined) throw restoreJobNotFound(restoreJobId, instanceName);
      return job;
    },
    create: async (projectId, instanceName, request, mayRestoreTo) => {
      await requireInstance(metadata, projectId, instanceName);
      const { snapshotId } = checkRequest(request);
      // Before anything about the target is looked up: without the role nobody learns whether it exists.
      if (!(await mayRestoreTo(request.targetProjectId))) throw cannotRestoreToTarget();
      return metadata.transaction(async (records) => {
        const source = await requireInstance(records, projectId, instanceName);
        const snapshot = await requireSnapshot(records, source, snapshotId);
        if (snapshot.status !== "completed") throw incompleteSnapshot();
        const target = await requireInstance(records, request.targetProjectId, request.targetName);
        if (target.state === "DELETING") throw clusterAlreadyRequestedDeletion(target.name);
        const unfinished = await records.restoreJobs.findUnfinishedFor(target.id);
        if (unfinished !== undefined) throw clusterRestoreInProgress();
        const nowMs = clock.nowMs();
        const job = newRestoreJob(ids.objectId(), source, target, nowMs, {
          snapshotId,
          snapshotCreatedAtMs: snapshot.createdAtMs ?? snapshot.requestedAtMs,
        });
        await records.restoreJobs.insert(job);
        // One after the other with everything else that writes to the target.
        await records.jobs.insert({
          id: ids.objectId(),
          kind: "restore",
          subjectId: job.id,
          exclusiveKey: target.id,
          runAtMs: nowMs,
        });
        return job;
      });
    },
  };
}

/** Throws for a delivery type that is unknown or not served, and for what is missing. */
function checkRequest(request: CreateRestoreJob): { readonly snapshotId: string } {
  const { deliveryType, snapshotId, targetProjectId, targetName } = request;
  if (deliveryType === "download" || deliveryType === "pointInTime") throw unsupportedDeliveryMethod();
  if (deliveryType !== "automated") throw invalidEnumValue(deliveryType);
  // The Atlas CLI sends empty texts for what the user did not give.
  if (snapshotId === undefined || snapshotId === "") throw missingAttribute("snapshotId");
  if (targetProjectId === "") throw missingAttribute("targetGroupId");
  if (targetName === "") throw missingAttribute("targetClusterName");
  if (!isObjectId(targetProjectId)) throw invalidGroupId(targetProjectId);
  return { snapshotId };
}

function newRestoreJob(
  id: string,
  source: DeploymentRecord,
  target: DeploymentRecord,
  requestedAtMs: number,
  snapshot: Pick<RestoreJobRecord, "snapshotId" | "snapshotCreatedAtMs">,
): RestoreJobRecord {
  return {
    ...snapshot,
    id,
    deploymentId: source.id,
    deliveryType: "automated",
    targetProjectId: target.projectId,
    targetDeploymentId: target.id,
    targetName: target.name,
    requestedAtMs,
    finishedAtMs: undefined,
    failed: false,
    failureReason: undefined,
  };
}
