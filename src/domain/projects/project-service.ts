import type { Clock } from "../../ports/clock.ts";
import type { Ids } from "../../ports/ids.ts";
import type { Metadata } from "../../ports/metadata/metadata.ts";
import type { ProjectRecord, Tag } from "../../ports/metadata/project-records.ts";
import type { Page, PageRequest } from "../../shared/page.ts";
import { checkTags } from "../attributes/tags.ts";
import { groupNotFound } from "../access/errors.ts";
import { groupAlreadyExists, invalidGroupName, maxGroupsPerOrgExceeded, orgNotFound } from "./errors.ts";

/** What a caller may see: every project of some organizations, and some projects by their own ids. */
export interface VisibleProjects {
  readonly organizationIds: readonly string[];
  readonly projectIds: readonly string[];
}

export interface CreateProject {
  readonly name: string;
  readonly organizationId: string;
  readonly tags?: readonly Tag[] | undefined;
  /** True when left out. */
  readonly withDefaultAlertsSettings?: boolean | undefined;
}

export interface ProjectService {
  /** By name in byte order. */
  list(visible: VisibleProjects, page: PageRequest): Promise<Page<ProjectRecord>>;
  /** How many deployments the project has. */
  clusterCount(projectId: string): Promise<number>;
  /** Throws `INVALID_GROUP_NAME`, `GROUP_ALREADY_EXISTS`, `ORG_NOT_FOUND` or `MAX_GROUPS_PER_ORG_EXCEEDED`. */
  create(request: CreateProject): Promise<ProjectRecord>;
  /** Throws `GROUP_NOT_FOUND`. */
  get(projectId: string): Promise<ProjectRecord>;
}

export interface ProjectServiceDependencies {
  readonly metadata: Metadata;
  readonly clock: Clock;
  readonly ids: Ids;
}

/** Projects an organization can have (Atlas, default limit). */
export const maximumProjectsPerOrganization = 250;

/** Letters and digits of any script and a few signs, 1 to 64 (Atlas API reference, `Group.name`), with spaces inside. */
const namePattern = /^(?! )[\p{L}\p{N}\-_.(),:&@+' ]{1,64}(?<! )$/u;

export function createProjectService({ metadata, clock, ids }: ProjectServiceDependencies): ProjectService {
  return {
    list: (visible, page) => metadata.projects.page(visible, page),
    clusterCount: (projectId) => metadata.deployments.count(projectId, "serverless"),
    get: async (projectId) => {
      const project = await metadata.projects.find(projectId);
      if (project === undefined) throw groupNotFound(projectId);
      return project;
    },
    create: async (request) => {
      const { name, organizationId, tags } = request;
      if (!namePattern.test(name)) throw invalidGroupName(name);
      if (tags !== undefined) checkTags(tags);
      return metadata.transaction(async (records) => {
        if ((await records.organizations.find(organizationId)) === undefined) throw orgNotFound(organizationId);
        if ((await records.projects.findByName(organizationId, name)) !== undefined) throw groupAlreadyExists(name);
        if ((await records.projects.countOf(organizationId)) >= maximumProjectsPerOrganization) {
          throw maxGroupsPerOrgExceeded(maximumProjectsPerOrganization, organizationId);
        }
        const project: ProjectRecord = {
          id: ids.objectId(),
          organizationId,
          name,
          createdAtMs: clock.nowMs(),
          tags,
          withDefaultAlertsSettings: request.withDefaultAlertsSettings ?? true,
        };
        await records.projects.insert(project);
        return project;
      });
    },
  };
}
