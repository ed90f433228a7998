import type { Clock } from "../../ports/clock.ts";
import type { Ids } from "../../ports/ids.ts";
import type { Metadata } from "../../ports/metadata/metadata.ts";
import type { SnapshotRecord } from "../../ports/metadata/snapshot-records.ts";
import type { Page, PageRequest } from "../../shared/page.ts";
import { invalidAttribute } from "../attributes/errors.ts";
import { clusterAlreadyRequestedDeletion } from "../deployments/errors.ts";
import { requireInstance } from "../deployments/require-instance.ts";
import {
  cannotDeleteInProgressSnapshot,
  clusterRestoreInProgress,
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

/** Every call throws `SERVERLESS_INSTANCE_NOT_FOUND` when the project has no instance of that name. */
export interface SnapshotService {
  /** Newest first. */
  list(projectId: string, instanceName: string, page: PageRequest): Promise<Page<SnapshotRecord>>;
  /** Throws `INVALID_SNAPSHOT_ID` for what is no id, `SNAPSHOT_NOT_FOUND`. */
  get(projectId: string, instanceName: string, snapshotId: string): Promise<SnapshotRecord>;
  /** Answers the record in status `queued`; a `takeSnapshot` job takes it. Throws `UNFINISHED_ON_DEMAND_SNAPSHOT`. */
  take(projectId: string, instanceName: string, request: TakeSnapshot): Promise<SnapshotRecord>;
  /** Throws `CANNOT_DELETE_IN_PROGRESS_SNAPSHOT`, and `ATLAS_CLUSTER_RESTORE_IN_PROGRESS` while an unfinished restore needs it. */
  delete(projectId: string, instanceName: string, snapshotId: string): Promise<void>;
}

export interface SnapshotServiceDependencies {
  readonly metadata: Metadata;
  readonly clock: Clock;
  readonly ids: Ids;
}

export const maximumDescriptionLength = 1024;

export function createSnapshotService({ metadata, clock, ids }: SnapshotServiceDependencies): SnapshotService {
  return {
    list: async (projectId, instanceName, page) => {
      const instance = await requireInstance(metadata, projectId, instanceName);
      return metadata.snapshots.page(instance.id, page);
    },
    get: async (projectId, instanceName, snapshotId) => {
      const instance = await requireInstance(metadata, projectId, instanceName);
      return requireSnapshot(metadata, instance, snapshotId);
    },
    take: async (projectId, instanceName, request) => {
      const retentionInDays = request.retentionInDays ?? minimumRetentionInDays;
      if (!isRetentionInDays(retentionInDays)) throw snapshotRetentionInvalid();
      if ((request.description?.length ?? 0) > maximumDescriptionLength) throw invalidAttribute("description");
      return metadata.transaction(async (records) => {
        const instance = await requireInstance(records, projectId, instanceName);
        if (instance.state === "DELETING") throw clusterAlreadyRequestedDeletion(instanceName);
        if (await records.snapshots.hasUnfinishedOnDemand(instance.id)) throw unfinishedOnDemandSnapshot();
        return queueSnapshot(records, ids, {
          deploymentId: instance.id,
          snapshotType: "onDemand",
          frequencyType: "ondemand",
          description: request.description,
          requestedAtMs: clock.nowMs(),
          policyItemIds: [],
          retentionMs: onDemandRetentionMs(retentionInDays) + extraRetentionMs(policyOf(instance), "ondemand"),
          newestKept: 1,
        });
      });
    },
    delete: async (projectId, instanceName, snapshotId) =>
      metadata.transaction(async (records) => {
        const instance = await requireInstance(records, projectId, instanceName);
        const snapshot = await requireSnapshot(records, instance, snapshotId);
        if (snapshot.status === "queued" || snapshot.status === "inProgress") {
          throw cannotDeleteInProgressSnapshot(snapshotId);
        }
        if (await records.restoreJobs.unfinishedNeeds(snapshotId)) throw clusterRestoreInProgress();
        await records.snapshots.delete(snapshotId);
      }),
  };
}
