import type { Clock } from "../../ports/clock.ts";
import type { Ids } from "../../ports/ids.ts";
import type { Metadata } from "../../ports/metadata/metadata.ts";
import type { SnapshotRecord } from "../../ports/metadata/snapshot-records.ts";
import type { Page, PageRequest } from "../../shared/page.ts";
import { invalidAttribute } from "../attributes/errors.ts";
import { clusterAlreadyRequestedDeletion } from "../deployments/errors.ts";
import { deploymentDetached } from "../deployments/external-errors.ts";
import type { RequireDeployment } from "../deployments/require-instance.ts";
import {
  cannotDeleteInProgressSnapshot,
  clusterRestoreInProgress,
  snapshotHeld,
  snapshotRetentionInvalid,
  unfinishedOnDemandSnapshot,
} from "./errors.ts";
import { policyOf } from "./policy.ts";
import { queueSnapshot } from "./queue-snapshot.ts";
import { requireSnapshot } from "./require-snapshot.ts";
import { extraRetentionMs, isRetentionInDays, minimumRetentionInDays, onDemandRetentionMs } from "./retention.ts";

export interface TakeSnapshot {
  readonly description?: string | undefined;
  /** 1 to 3650; 1 when left out. */
  readonly retentionInDays?: number | undefined;
}

/** Every call throws what `requireDeployment` throws when the project has no deployment of that name and kind, such as `SERVERLESS_INSTANCE_NOT_FOUND`. */
export interface SnapshotService {
  /** Newest first. */
  list(projectId: string, deploymentName: string, page: PageRequest): Promise<Page<SnapshotRecord>>;
  /** Throws `INVALID_SNAPSHOT_ID` for what is no id, `SNAPSHOT_NOT_FOUND`. */
  get(projectId: string, deploymentName: string, snapshotId: string): Promise<SnapshotRecord>;
  /** Answers the record in status `queued`; a `takeSnapshot` job takes it. Throws `UNFINISHED_ON_DEMAND_SNAPSHOT`. */
  take(projectId: string, deploymentName: string, request: TakeSnapshot): Promise<SnapshotRecord>;
  /** Throws `CANNOT_DELETE_IN_PROGRESS_SNAPSHOT`, `SNAPSHOT_HELD`, and `ATLAS_CLUSTER_RESTORE_IN_PROGRESS` while an unfinished restore needs it. */
  delete(projectId: string, deploymentName: string, snapshotId: string): Promise<void>;
}

export interface SnapshotServiceDependencies {
  readonly metadata: Metadata;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly requireDeployment: RequireDeployment;
}

export const maximumDescriptionLength = 1024;

export function createSnapshotService({
  metadata,
  clock,
  ids,
  requireDeployment,
}: SnapshotServiceDependencies): SnapshotService {
  return {
    list: async (projectId, deploymentName, page) => {
      const deployment = await requireDeployment(metadata, projectId, deploymentName);
      return metadata.snapshots.page(deployment.id, page);
    },
    get: async (projectId, deploymentName, snapshotId) => {
      const deployment = await requireDeployment(metadata, projectId, deploymentName);
      return requireSnapshot(metadata, deployment, snapshotId);
    },
    take: async (projectId, deploymentName, request) => {
      const retentionInDays = request.retentionInDays ?? minimumRetentionInDays;
      if (!isRetentionInDays(retentionInDays)) throw snapshotRetentionInvalid();
      if ((request.description?.length ?? 0) > maximumDescriptionLength) throw invalidAttribute("description");
      return metadata.transaction(async (records) => {
        const deployment = await requireDeployment(records, projectId, deploymentName);
        if (deployment.state === "DELETING") throw clusterAlreadyRequestedDeletion(deploymentName);
        if (deployment.state === "DETACHED") throw deploymentDetached(deploymentName);
        if (await records.snapshots.hasUnfinishedOnDemand(deployment.id)) throw unfinishedOnDemandSnapshot();
        return queueSnapshot(records, ids, {
          deploymentId: deployment.id,
          snapshotType: "onDemand",
          frequencyType: "ondemand",
          description: request.description,
          requestedAtMs: clock.nowMs(),
          policyItemIds: [],
          retentionMs: onDemandRetentionMs(retentionInDays) + extraRetentionMs(policyOf(deployment), "ondemand"),
          newestKept: 1,
        });
      });
    },
    delete: async (projectId, deploymentName, snapshotId) =>
      metadata.transaction(async (records) => {
        const deployment = await requireDeployment(records, projectId, deploymentName);
        const snapshot = await requireSnapshot(records, deployment, snapshotId);
        if (snapshot.status === "queued" || snapshot.status === "inProgress") {
          throw cannotDeleteInProgressSnapshot(snapshotId);
        }
        if (snapshot.hold !== undefined) throw snapshotHeld(snapshotId);
        if (await records.restoreJobs.unfinishedNeeds(snapshotId)) throw clusterRestoreInProgress();
        await records.snapshots.delete(snapshotId);
      }),
  };
}
