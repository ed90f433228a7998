import { AppError } from "../../shared/app-error.ts";

/** The text is our own: no recording of the vendor's was found. */
export function serverlessInstanceNotFound(name: string, projectId: string): AppError {
  return new AppError(
    "not_found",
    "SERVERLESS_INSTANCE_NOT_FOUND",
    `No serverless instance named ${name} exists in group ${projectId}.`,
    { parameters: [name, projectId] },
  );
}

export function clusterNotFound(name: string, projectId: string): AppError {
  return new AppError("not_found", "CLUSTER_NOT_FOUND", `No cluster named ${name} exists in group ${projectId}.`, {
    parameters: [name, projectId],
  });
}

/** The text is our own: no recording of the vendor's was found. */
export function serverlessInstanceInClusterApi(name: string): AppError {
  return new AppError(
    "invalid",
    "CANNOT_USE_SERVERLESS_INSTANCE_IN_CLUSTER_API",
    `Serverless instance ${name} cannot be used in the Cluster API.`,
    { parameters: [name] },
  );
}

/** Of Telamon's own operations, which are for deployments of every kind. */
export function deploymentNotFound(name: string, projectId: string): AppError {
  return new AppError(
    "not_found",
    "DEPLOYMENT_NOT_FOUND",
    `No deployment named ${name} exists in group ${projectId}.`,
    { parameters: [name, projectId] },
  );
}

/** Its snapshots would go with it. */
export function deploymentHasHeldSnapshots(name: string): AppError {
  return new AppError(
    "conflict",
    "DEPLOYMENT_HAS_HELD_SNAPSHOTS",
    `Cannot delete ${name} with its snapshots while one of them is held. Release the holds and try again.`,
    { parameters: [name] },
  );
}

export function duplicateClusterName(name: string, projectId: string): AppError {
  const kind = "cluster or serverless instance";
  return new AppError(
    "invalid",
    "DUPLICATE_CLUSTER_NAME",
    `A ${kind} named ${name} is already present in group ${projectId}.`,
    { parameters: [kind, name, projectId] },
  );
}

export function duplicateClusterNamePrefix(name: string, prefixLength: number): AppError {
  return new AppError(
    "invalid",
    "DUPLICATE_CLUSTER_NAME_PREFIX",
    `Cluster name ${name} cannot have same first ${prefixLength} characters as another cluster name in same group.`,
    { parameters: [name, prefixLength] },
  );
}

export function clusterNameInvalid(name: string): AppError {
  return new AppError(
    "invalid",
    "CLUSTER_NAME_INVALID",
    `The cluster name ${name} is invalid. The name can only contain ASCII letters, numbers, and hyphens.`,
    { parameters: [name] },
  );
}

export function clusterNamePrefixInvalid(name: string, prefixLength: number, prefix: string): AppError {
  return new AppError(
    "invalid",
    "CLUSTER_NAME_PREFIX_INVALID",
    `Cluster name "${name}" is invalid. Atlas truncates cluster names to ${prefixLength} characters which results in an invalid hostname due to a trailing "-" in the generated cluster name prefix "${prefix}".`,
    { parameters: [name, prefixLength, prefix] },
  );
}

export function clusterNameTooLong(name: string, maximumLength: number): AppError {
  return new AppError(
    "invalid",
    "CLUSTER_NAME_TOO_LONG",
    `Cluster name ${name} is limited to ${maximumLength} characters.`,
    { parameters: [name, maximumLength] },
  );
}

export function reservedClusterName(name: string): AppError {
  return new AppError(
    "invalid",
    "ATLAS_RESERVED_CLUSTER_NAME",
    `The provided cluster name ${name} creates a conflict with our internal hostnames, which are generated using the pattern "atlas-[a-z0-9]{6}".`,
    { parameters: [name] },
  );
}

export function clusterAlreadyRequestedDeletion(name: string): AppError {
  return new AppError(
    "invalid",
    "CLUSTER_ALREADY_REQUESTED_DELETION",
    `The cluster ${name} has already been requested for deletion.`,
    { parameters: [name] },
  );
}

export function terminationProtectionEnabled(name: string, projectId: string): AppError {
  return new AppError(
    "invalid",
    "CANNOT_TERMINATE_CLUSTER_WHEN_TERMINATION_PROTECTION_ENABLED",
    "Cannot terminate a cluster when termination protection is enabled. Disable termination protection and try again.",
    {
      parameters: [
        `Cannot terminate cluster ${name} in group ${projectId} because termination protection is enabled. Disable termination protection and try again.`,
      ],
    },
  );
}

export function invalidProvider(provider: string): AppError {
  return new AppError("invalid", "INVALID_PROVIDER", `No provider ${provider} exists.`, { parameters: [provider] });
}

export function invalidRegion(region: string, provider: string): AppError {
  return new AppError("invalid", "INVALID_REGION", `No region ${region} exists for provider ${provider}.`, {
    parameters: [region, provider],
  });
}

/** The vendor's table has no code for this limit, so it goes under its general one. */
export function tooManyInstances(maximum: number, projectId: string): AppError {
  const text = `Project ${projectId} has the most serverless instances it can have (${maximum})`;
  return new AppError("invalid", "ATLAS_GENERAL_ERROR", `Reason: ${text}.`, { parameters: [text] });
}
