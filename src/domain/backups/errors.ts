import { AppError } from "../../shared/app-error.ts";

export function snapshotNotFound(snapshotId: string, instanceName: string): AppError {
  return new AppError(
    "not_found",
    "SNAPSHOT_NOT_FOUND",
    `No snapshot with ID ${snapshotId} exists for cluster ${instanceName}.`,
    { parameters: [snapshotId, instanceName] },
  );
}

export function invalidSnapshotId(snapshotId: string): AppError {
  return new AppError("not_found", "INVALID_SNAPSHOT_ID", `An invalid snapshot ID ${snapshotId} was specified.`, {
    parameters: [snapshotId],
  });
}

export function unfinishedOnDemandSnapshot(): AppError {
  return new AppError(
    "invalid",
    "UNFINISHED_ON_DEMAND_SNAPSHOT",
    "Another on-demand snapshot is queued or in progress.",
  );
}

export function snapshotRetentionInvalid(): AppError {
  return new AppError("invalid", "BACKUP_SNAPSHOT_RETENTION_VALUE_INVALID", "Retention value of snapshot is invalid.");
}

export function cannotDeleteInProgressSnapshot(snapshotId: string): AppError {
  return new AppError(
    "invalid",
    "CANNOT_DELETE_IN_PROGRESS_SNAPSHOT",
    `Cannot delete an in progress snapshot ${snapshotId}.`,
    { parameters: [snapshotId] },
  );
}

export function restoreJobNotFound(restoreJobId: string, instanceName: string): AppError {
  return new AppError(
    "not_found",
    "RESTORE_JOB_NOT_FOUND",
    `No restore job with ID ${restoreJobId} exists for cluster ${instanceName}.`,
    { parameters: [restoreJobId, instanceName] },
  );
}

export function invalidJobId(restoreJobId: string): AppError {
  return new AppError("not_found", "INVALID_JOB_ID", `An invalid restore job ID ${restoreJobId} was specified.`, {
    parameters: [restoreJobId],
  });
}

export function cannotRestoreToTarget(): AppError {
  return new AppError(
    "forbidden",
    "CANNOT_RESTORE_TO_TARGET",
    "Cannot restore with insufficient permission on source snapshot or target cluster.",
  );
}

export function clusterRestoreInProgress(): AppError {
  return new AppError("conflict", "ATLAS_CLUSTER_RESTORE_IN_PROGRESS", "Cluster restore already in progress.");
}

/** The snapshot is queued, in progress or failed. */
export function incompleteSnapshot(): AppError {
  return new AppError(
    "conflict",
    "CANNOT_START_RESTORE_JOB_FOR_INCOMPLETE_CLUSTER_SNAPSHOT",
    "Cannot start restore job for incomplete cluster snapshot.",
  );
}

/** A delivery type of the API that this product does not have. */
export function unsupportedDeliveryMethod(): AppError {
  return new AppError(
    "not_implemented",
    "UNSUPPORTED_DELIVERY_METHOD",
    "The specified delivery method is not supported.",
  );
}

/** Telamon's own, as all below: the vendor's API has no holds and no trials. */
export function snapshotHeld(snapshotId: string): AppError {
  return new AppError(
    "conflict",
    "SNAPSHOT_HELD",
    `Cannot delete snapshot ${snapshotId} while it is held. Release the hold and try again.`,
    { parameters: [snapshotId] },
  );
}

export function snapshotAlreadyHeld(snapshotId: string): AppError {
  return new AppError("conflict", "SNAPSHOT_ALREADY_HELD", `Snapshot ${snapshotId} is held already.`, {
    parameters: [snapshotId],
  });
}

export function snapshotNotHeld(snapshotId: string): AppError {
  return new AppError("conflict", "SNAPSHOT_NOT_HELD", `Snapshot ${snapshotId} is not held.`, {
    parameters: [snapshotId],
  });
}

/** It is queued, in progress or failed. */
export function snapshotNotCompleted(snapshotId: string): AppError {
  return new AppError("conflict", "SNAPSHOT_NOT_COMPLETED", `Snapshot ${snapshotId} is not completed.`, {
    parameters: [snapshotId],
  });
}

export function drillUnderWay(snapshotId: string): AppError {
  return new AppError("conflict", "DRILL_UNDER_WAY", `A restore on trial of snapshot ${snapshotId} is under way.`, {
    parameters: [snapshotId],
  });
}

export function garbageCollectionNotFound(id: string): AppError {
  return new AppError("not_found", "GARBAGE_COLLECTION_NOT_FOUND", `No collection of garbage with ID ${id} is known.`, {
    parameters: [id],
  });
}
