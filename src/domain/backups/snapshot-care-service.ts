import type { Clock } from "../../ports/clock.ts";
import type { Ids } from "../../ports/ids.ts";
import type { Metadata } from "../../ports/metadata/metadata.ts";
import type { SnapshotRecord } from "../../ports/metadata/snapshot-records.ts";
import type { Page, PageRequest } from "../../shared/page.ts";
import { clusterAlreadyRequestedDeletion } from "../deployments/errors.ts";
import { requireDeployment } from "../deployments/require-deployment.ts";
import { changeCompletedSnapshot } from "./change-completed-snapshot.ts";
import { drillUnderWay, snapshotAlreadyHeld, snapshotNotCompleted, snapshotNotHeld } from "./errors.ts";
import { requireSnapshot } from "./require-snapshot.ts";

export interface HoldRequest {
  /** Who asks, as people know it. */
  readonly by: string;
  readonly reason: string;
}

/** What keeps and proves snapshots of deployments of every kind. Every call throws `DEPLOYMENT_NOT_FOUND`, and with a snapshot's id `INVALID_SNAPSHOT_ID` and `SNAPSHOT_NOT_FOUND`. */
export interface SnapshotCareService {
  /** Newest first. */
  list(projectId: string, deploymentName: string, page: PageRequest): Promise<Page<SnapshotRecord>>;
  get(projectId: string, deploymentName: string, snapshotId: string): Promise<SnapshotRecord>;
  /** Whether a restore on trial of it is asked for or under way. */
  isBeingDrilled(snapshotId: string): Promise<boolean>;
  /** From now on it neither expires nor can be deleted. Throws `SNAPSHOT_ALREADY_HELD`, and `SNAPSHOT_NOT_COMPLETED`. */
  hold(projectId: string, deploymentName: string, snapshotId: string, request: HoldRequest): Promise<SnapshotRecord>;
  /** It expires again as it would have. Throws `SNAPSHOT_NOT_HELD`. */
  release(projectId: string, deploymentName: string, snapshotId: string): Promise<SnapshotRecord>;
  /** Has it restored on trial; the record tells the result. Throws `SNAPSHOT_NOT_COMPLETED`, and `DRILL_UNDER_WAY` when that is asked for already. */
  drill(projectId: string, deploymentName: string, snapshotId: string): Promise<SnapshotRecord>;
}

export interface SnapshotCareServiceDependencies {
  readonly metadata: Metadata;
  readonly clock: Clock;
  readonly ids: Ids;
}

export function createSnapshotCareService(dependencies: SnapshotCareServiceDependencies): SnapshotCareService {
  const { metadata, clock, ids } = dependencies;
  return {
    list: async (projectId, deploymentName, page) =>
      metadata.snapshots.page((await requireDeployment(metadata, projectId, deploymentName)).id, page),
    get: async (projectId, deploymentName, snapshotId) =>
      requireSnapshot(metadata, await requireDeployment(metadata, projectId, deploymentName), snapshotId),
    isBeingDrilled: (snapshotId) => metadata.jobs.unfinishedFor(snapshotId),
    hold: (projectId, deploymentName, snapshotId, { by, reason }) =>
      metadata.transaction(async (records) => {
        const deployment = await requireDeployment(records, projectId, deploymentName);
        // Its snapshots are about to go with it; whoever asked for that was let know of every hold.
        if (deployment.state === "DELETING") throw clusterAlreadyRequestedDeletion(deploymentName);
        const snapshot = await requireSnapshot(records, deployment, snapshotId);
        if (snapshot.status !== "completed") throw snapshotNotCompleted(snapshotId);
        if (snapshot.hold !== undefined) throw snapshotAlreadyHeld(snapshotId);
        const atMs = clock.nowMs();
        await changeCompletedSnapshot(records, ids, snapshot, { hold: { atMs, by, reason } }, atMs);
        return requireSnapshot(records, deployment, snapshotId);
      }),
    release: (projectId, deploymentName, snapshotId) =>
      metadata.transaction(async (records) => {
        const deployment = await requireDeployment(records, projectId, deploymentName);
        const snapshot = await requireSnapshot(records, deployment, snapshotId);
        if (snapshot.hold === undefined) throw snapshotNotHeld(snapshotId);
        await changeCompletedSnapshot(records, ids, snapshot, { hold: undefined }, clock.nowMs());
        return requireSnapshot(records, deployment, snapshotId);
      }),
    drill: (projectId, deploymentName, snapshotId) =>
      metadata.transaction(async (records) => {
        const deployment = await requireDeployment(records, projectId, deploymentName);
        const snapshot = await requireSnapshot(records, deployment, snapshotId);
        if (snapshot.status !== "completed") throw snapshotNotCompleted(snapshotId);
        if (await records.jobs.unfinishedFor(snapshotId)) throw drillUnderWay(snapshotId);
        await records.jobs.insert({
          id: ids.objectId(),
          kind: "drill",
          subjectId: snapshotId,
          exclusiveKey: deployment.id,
          runAtMs: clock.nowMs(),
        });
        return snapshot;
      }),
  };
}
