import type { Metadata } from "../../ports/metadata/metadata.ts";
import type { ProjectRecord } from "../../ports/metadata/project-records.ts";
import type { Actor } from "./actor.ts";
import { groupNotFound, notOrganizationGroupCreator, userUnauthorized } from "./errors.ts";
import { holdsOrganizationRole, holdsProjectRole, seesProject } from "./roles.ts";

/** Decides who may do what. */
export interface Access {
  /** The project, when the actor has a role in it. Throws `GROUP_NOT_FOUND` just the same when it does not exist and when it may not be known. */
  seeProject(actor: Actor, projectId: string): Promise<ProjectRecord>;
  /** Throws `USER_UNAUTHORIZED` unless the actor holds one of the roles. */
  requireRole(actor: Actor, project: ProjectRecord, anyRole: readonly string[]): void;
  /** Throws `NOT_ORG_GROUP_CREATOR` unless the actor may create projects in the organization. */
  requireGroupCreator(actor: Actor, organizationId: string): void;
  /** Throws `USER_UNAUTHORIZED` unless the actor owns every organization that this server has: the store is everybody's. */
  requireStoreOperator(actor: Actor): Promise<void>;
  /** Whether the actor may replace data in that project; an unknown project is a no. */
  mayRestoreTo(actor: Actor, projectId: string): Promise<boolean>;
}

/** Roles that may start a restore into a project (the reference: Project Owner; backup managers run dedicated ones). */
export const restoreRoles = ["GROUP_OWNER", "GROUP_BACKUP_MANAGER"] as const;

export function createAccess(metadata: Pick<Metadata, "projects" | "organizations">): Access {
  const find = async (projectId: string): Promise<ProjectRecord | undefined> =>
    /^[a-f0-9]{24}$/.test(projectId) ? metadata.projects.find(projectId) : undefined;
  return {
    async seeProject(actor, projectId) {
      const project = await find(projectId);
      if (project === undefined || !seesProject(actor, project)) throw groupNotFound(projectId);
      return project;
    },
    requireRole(actor, project, anyRole) {
      if (!holdsProjectRole(actor, project, anyRole)) throw userUnauthorized();
    },
    requireGroupCreator(actor, organizationId) {
      if (!holdsOrganizationRole(actor, organizationId, ["ORG_GROUP_CREATOR"]))
        throw notOrganizationGroupCreator(organizationId);
    },
    async requireStoreOperator(actor) {
      for (const organizationId of await metadata.organizations.ids())
        if (!holdsOrganizationRole(actor, organizationId, ["ORG_OWNER"])) throw userUnauthorized();
    },
    async mayRestoreTo(actor, projectId) {
      const project = await find(projectId);
      return project !== undefined && holdsProjectRole(actor, project, restoreRoles);
    },
  };
}
