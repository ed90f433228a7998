import type { Clock } from "../../ports/clock.ts";
import type { Ids } from "../../ports/ids.ts";
import type { DeploymentKind, DeploymentRecord } from "../../ports/metadata/deployment-records.ts";
import type { Metadata } from "../../ports/metadata/metadata.ts";
import type { RestoreJobRecord } from "../../ports/metadata/restore-job-records.ts";
import type { Page, PageRequest } from "../../shared/page.ts";
import { invalidAttribute, invalidEnumValue, missingAttribute } from "../attributes/errors.ts";
import { isObjectId } from "../attributes/object-id.ts";
import { clusterAlreadyRequestedDeletion } from "../deployments/errors.ts";
import { deploymentDetached } from "../deployments/external-errors.ts";
import { requireExternalDeployment } from "../deployments/require-external-deployment.ts";
import { type RequireDeployment, requireInstance } from "../deployments/require-instance.ts";
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
  /** Name of the deployment whose data is replaced. */
  readonly targetName: string;
  /** An instance when left out. */
  readonly targetKind?: DeploymentKind | undefined;
  /** Must be said for an external target that is not empty, and for no other. */
  readonly replacesExisting?: boolean | undefined;
}

/** Whether the caller may replace data in that project; asked before anything about the target is looked up. */
export type MayRestoreTo = (projectId: string) => boolean | Promise<boolean>;

/** Every call throws what `requireDeployment` throws when the project has no deployment of that name and kind, such as `SERVERLESS_INSTANCE_NOT_FOUND`. */
export interface RestoreJobService {
  /** Restores of this deployment's snapshots, newest first. */
  list(projectId: string, deploymentName: string, page: PageRequest): Promise<Page<RestoreJobRecord>>;
  /** Throws `INVALID_JOB_ID` for what is no id, `RESTORE_JOB_NOT_FOUND`. */
  get(projectId: string, deploymentName: string, restoreJobId: string): Promise<RestoreJobRecord>;
  /** Answers the unfinished record; a `restore` job carries it out. Throws `CANNOT_RESTORE_TO_TARGET`, `ATLAS_CLUSTER_RESTORE_IN_PROGRESS` and others. */
  create(
    projectId: string,
    deploymentName: string,
    request: CreateRestoreJob,
    mayRestoreTo: MayRestoreTo,
  ): Promise<RestoreJobRecord>;
}

export interface RestoreJobServiceDependencies {
  readonly metadata: Metadata;
  readonly clock: Clock;
  readonly ids: Ids;
  /** Finds the deployment whose snapshots are restored. */
  readonly requireDeployment: RequireDeployment;
}

export function createRestoreJobService({
  metadata,
  clock,
  ids,
  requireDeployment,
}: RestoreJobServiceDependencies): RestoreJobService {
  return {
    list: async (projectId, deploymentName, page) => {
      const deployment = await requireDeployment(metadata, projectId, deploymentName);
      return metadata.restoreJobs.page(deployment.id, page);
    },
    get: async (projectId, deploymentName, restoreJobId) => {
      const deployment = await requireDeployment(metadata, projectId, deploymentName);
      if (!isObjectId(restoreJobId)) throw invalidJobId(restoreJobId);
      const job = await metadata.restoreJobs.find(deployment.id, restoreJobId);
      if (job === undefined) throw restoreJobNotFound(restoreJobId, deploymentName);
      return job;
    },
    create: async (projectId, deploymentName, request, mayRestoreTo) => {
      await requireDeployment(metadata, projectId, deploymentName);
      const { snapshotId } = checkRequest(request);
      // Before anything about the target is looked up: without the role nobody learns whether it exists.
      if (!(await mayRestoreTo(request.targetProjectId))) throw cannotRestoreToTarget();
      return metadata.transaction(async (records) => {
        const source = await requireDeployment(records, projectId, deploymentName);
        const snapshot = await requireSnapshot(records, source, snapshotId);
        if (snapshot.status !== "completed") throw incompleteSnapshot();
        if (request.targetKind !== "external" && request.replacesExisting !== undefined)
          throw invalidAttribute("replaceExisting");
        const requireTarget = request.targetKind === "external" ? requireExternalDeployment : requireInstance;
        const target = await requireTarget(records, request.targetProjectId, request.targetName);
        if (target.state === "DELETING") throw clusterAlreadyRequestedDeletion(target.name);
        if (target.state === "DETACHED") throw deploymentDetached(target.name);
        const unfinished = await records.restoreJobs.findUnfinishedFor(target.id);
        if (unfinished !== undefined) throw clusterRestoreInProgress();
        const nowMs = clock.nowMs();
        const job = newRestoreJob(ids.objectId(), source, target, nowMs, {
          snapshotId,
          snapshotCreatedAtMs: snapshot.createdAtMs ?? snapshot.requestedAtMs,
          replacesExisting: request.replacesExisting ?? false,
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
  snapshot: Pick<RestoreJobRecord, "snapshotId" | "snapshotCreatedAtMs" | "replacesExisting">,
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
    publishing: false,
    finishedAtMs: undefined,
    failed: false,
    failureReason: undefined,
  };
}
