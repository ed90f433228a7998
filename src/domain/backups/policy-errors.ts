import { AppError } from "../../shared/app-error.ts";

/** `what` completes the sentence "Invalid Backup Policy: ...". */
export function invalidBackupPolicy(what: string): AppError {
  return new AppError("invalid", "INVALID_BACKUP_POLICY", `Invalid Backup Policy: ${what}.`, { parameters: [what] });
}

export function notOnePolicy(): AppError {
  return new AppError("invalid", "INVALID_NUM_OF_POLICIES", "Must have exactly one policy.");
}

export function noPolicyItems(): AppError {
  return new AppError("invalid", "INVALID_NUM_OF_POLICY_ITEMS", "Must have at least one policy item.");
}

export function invalidPolicyId(id: string): AppError {
  return new AppError("invalid", "INVALID_POLICY_ID", `The policy id ${id} is invalid.`, { parameters: [id] });
}

export function invalidPolicyItemId(id: string): AppError {
  return new AppError("invalid", "INVALID_POLICY_ITEM_ID", `The specified policy item id ${id} does not exist.`, {
    parameters: [id],
  });
}

export function frequencyTypeChanged(): AppError {
  return new AppError(
    "invalid",
    "INVALID_FREQUENCY_TYPE_CHANGE",
    "The frequency type of a policy item must not be changed.",
  );
}

export function invalidReferenceHour(): AppError {
  return new AppError(
    "invalid",
    "INVALID_REFERENCE_HOUR_OF_DAY",
    "Snapshot schedule reference hour must be between 0 and 23, inclusive.",
  );
}

export function invalidReferenceMinute(): AppError {
  return new AppError(
    "invalid",
    "INVALID_REFERENCE_MINUTE_OF_HOUR",
    "Snapshot schedule reference minute must be between 0 and 59, inclusive.",
  );
}

export function invalidRestoreWindow(): AppError {
  return new AppError("invalid", "INVALID_RESTORE_WINDOW", "The restore window days should be a positive number.");
}

/** There is such a deployment, and it is not backed up now. */
export function backupConfigNotFound(deploymentId: string, projectId: string): AppError {
  return new AppError(
    "not_found",
    "BACKUP_CONFIG_NOT_FOUND",
    `No backup configuration exists for cluster ${deploymentId} in group ${projectId}.`,
    { parameters: [deploymentId, projectId] },
  );
}

/** An attribute that asks for copies or exports of snapshots, which this product does not make; the text is our own. */
export function scheduleAttributeNotSupported(attribute: string): AppError {
  return new AppError(
    "not_implemented",
    "FEATURE_UNSUPPORTED",
    `Copies and exports of snapshots are not supported; leave ${attribute} out.`,
    { parameters: [attribute] },
  );
}
