import { AppError } from "../../shared/app-error.ts";

export function invalidGroupId(projectId: string): AppError {
  return new AppError("not_found", "INVALID_GROUP_ID", `An invalid group ID ${projectId} was specified.`, {
    parameters: [projectId],
  });
}

export function groupAlreadyExists(name: string): AppError {
  return new AppError("conflict", "GROUP_ALREADY_EXISTS", `A group with name "${name}" already exists.`, {
    parameters: [name],
  });
}

export function invalidGroupName(name: string): AppError {
  return new AppError("invalid", "INVALID_GROUP_NAME", `An invalid group name "${name}" was specified.`, {
    parameters: [name],
  });
}

export function maxGroupsPerOrgExceeded(maximum: number, organizationId: string): AppError {
  return new AppError(
    "invalid",
    "MAX_GROUPS_PER_ORG_EXCEEDED",
    `Maximum number of groups per organization (${maximum}) in ${organizationId} exceeded while trying to add group.`,
    { parameters: [String(maximum), organizationId] },
  );
}

export function orgNotFound(organizationId: string): AppError {
  return new AppError("not_found", "ORG_NOT_FOUND", `No organization with ID ${organizationId} exists.`, {
    parameters: [organizationId],
  });
}
