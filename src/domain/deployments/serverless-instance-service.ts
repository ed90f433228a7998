import type { DeploymentRecord } from "../../ports/metadata/deployment-records.ts";
import type { Tag } from "../../ports/metadata/project-records.ts";
import type { Page, PageRequest } from "../../shared/page.ts";

export interface CreateServerlessInstance {
  readonly name: string;
  /** `AWS`, `AZURE` or `GCP`. */
  readonly backingProviderName: string;
  /** Atlas spelling, such as `US_EAST_1`. */
  readonly regionName: string;
  /** True when left out. */
  readonly continuousBackupEnabled?: boolean | undefined;
  /** False when left out. */
  readonly terminationProtectionEnabled?: boolean | undefined;
  readonly tags?: readonly Tag[] | undefined;
}

/** What is left out stays as it is. */
export interface ServerlessInstanceChanges {
  readonly continuousBackupEnabled?: boolean | undefined;
  readonly terminationProtectionEnabled?: boolean | undefined;
  readonly tags?: readonly Tag[] | undefined;
}

export interface ServerlessInstanceService {
  /** Oldest first. */
  list(projectId: string, page: PageRequest): Promise<Page<DeploymentRecord>>;
  /** Throws `SERVERLESS_INSTANCE_NOT_FOUND`. */
  get(projectId: string, name: string): Promise<DeploymentRecord>;
  /** Answers the record in state `CREATING`; a `provision` job makes it `IDLE`. Throws the errors of a bad name, provider, region or tag. */
  create(projectId: string, request: CreateServerlessInstance): Promise<DeploymentRecord>;
  /** Settings count at once; the record answers `UPDATING` until a `provision` job makes it `IDLE` again. */
  update(projectId: string, name: string, changes: ServerlessInstanceChanges): Promise<DeploymentRecord>;
  /** State `DELETING` and a `deprovision` job. Throws under termination protection and the second time. */
  delete(projectId: string, name: string): Promise<void>;
}
