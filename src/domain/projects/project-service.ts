import type { ProjectRecord, Tag } from "../../ports/metadata/project-records.ts";
import type { Page, PageRequest } from "../../shared/page.ts";

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
