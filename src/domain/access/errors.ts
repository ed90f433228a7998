import { AppError } from "../../shared/app-error.ts";

/** No credentials, wrong ones, or ended ones: the caller is told to authenticate and nothing else. */
export function notAuthenticated(stale: boolean = false): AppError & { readonly stale: boolean } {
  return Object.assign(
    new AppError("unauthenticated", "UNEXPECTED_ERROR", "You are not authorized for this resource."),
    { stale },
  );
}

/** A role on the project, but not one that this needs. */
export function userUnauthorized(): AppError {
  return new AppError("unauthorized", "USER_UNAUTHORIZED", "Current user is not authorized to perform this action.");
}

/** No such project, or none that this caller may know of. */
export function groupNotFound(projectId: string): AppError {
  return new AppError("not_found", "GROUP_NOT_FOUND", `No group with ID ${projectId} exists.`, {
    parameters: [projectId],
  });
}

/** Creating a project needs a role on its organization. */
export function notOrganizationGroupCreator(organizationId: string): AppError {
  return new AppError(
    "unauthorized",
    "NOT_ORG_GROUP_CREATOR",
    `The currently logged in user does not have the group creator role in organization ${organizationId}.`,
    { parameters: [organizationId] },
  );
}
