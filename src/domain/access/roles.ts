import type { ProjectRecord } from "../../ports/metadata/project-records.ts";
import type { Actor } from "./actor.ts";

/** Project roles a role brings with it, besides itself. Everything else stands for itself alone and lets its holder read. */
const impliedProjectRoles: Readonly<Record<string, readonly string[]>> = {
  GROUP_OWNER: [
    "GROUP_CLUSTER_MANAGER",
    "GROUP_BACKUP_MANAGER",
    "GROUP_DATABASE_ACCESS_ADMIN",
    "GROUP_DATA_ACCESS_ADMIN",
    "GROUP_READ_ONLY",
  ],
  GROUP_CLUSTER_MANAGER: ["GROUP_READ_ONLY"],
  GROUP_BACKUP_MANAGER: ["GROUP_READ_ONLY"],
  GROUP_DATABASE_ACCESS_ADMIN: ["GROUP_READ_ONLY"],
  GROUP_DATA_ACCESS_ADMIN: ["GROUP_DATA_ACCESS_READ_WRITE", "GROUP_DATA_ACCESS_READ_ONLY", "GROUP_READ_ONLY"],
  GROUP_DATA_ACCESS_READ_WRITE: ["GROUP_DATA_ACCESS_READ_ONLY", "GROUP_READ_ONLY"],
  GROUP_DATA_ACCESS_READ_ONLY: ["GROUP_READ_ONLY"],
};

/** Project roles that a role on the organization gives in each of its projects. */
const projectRolesOfOrganizationRole: Readonly<Record<string, readonly string[]>> = {
  ORG_OWNER: ["GROUP_OWNER"],
  ORG_READ_ONLY: ["GROUP_READ_ONLY"],
};

/** Whether the actor holds any role in the project at all; without one it must learn nothing about it. */
export function seesProject(actor: Actor, project: ProjectRecord): boolean {
  return actor.roles.some((role) => rolesGivenBy(role, project).length > 0);
}

/** Whether the actor holds one of `anyRole` in the project, itself or by a role that brings it. */
export function holdsProjectRole(actor: Actor, project: ProjectRecord, anyRole: readonly string[]): boolean {
  return actor.roles.some((role) =>
    rolesGivenBy(role, project).some(
      (held) =>
        anyRole.includes(held) || (impliedProjectRoles[held] ?? []).some((implied) => anyRole.includes(implied)),
    ),
  );
}

/** Whether the actor holds one of `anyRole` in the organization. */
export function holdsOrganizationRole(actor: Actor, organizationId: string, anyRole: readonly string[]): boolean {
  return actor.roles.some(
    (role) =>
      role.scope === "organization" &&
      role.scopeId === organizationId &&
      (role.roleName === "ORG_OWNER" || anyRole.includes(role.roleName)),
  );
}

/** Organizations and single projects whose projects the actor may list. */
export function visibleProjects(actor: Actor): {
  readonly organizationIds: readonly string[];
  readonly projectIds: readonly string[];
} {
  return {
    organizationIds: actor.roles
      .filter((role) => role.scope === "organization" && projectRolesOfOrganizationRole[role.roleName] !== undefined)
      .map((role) => role.scopeId),
    projectIds: actor.roles.filter((role) => role.scope === "project").map((role) => role.scopeId),
  };
}

/** Roles that one role of an actor gives in the project. */
function rolesGivenBy(role: Actor["roles"][number], project: ProjectRecord): readonly string[] {
  if (role.scope === "project") return role.scopeId === project.id ? [role.roleName] : [];
  return role.scopeId === project.organizationId ? (projectRolesOfOrganizationRole[role.roleName] ?? []) : [];
}
