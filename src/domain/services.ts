import type { RestoreJobService } from "./backups/restore-job-service.ts";
import type { SnapshotService } from "./backups/snapshot-service.ts";
import type { DatabaseUserService } from "./database-users/database-user-service.ts";
import type { ServerlessInstanceService } from "./deployments/serverless-instance-service.ts";
import type { ProjectService } from "./projects/project-service.ts";

/** The rules of the product, as operations use them: records go in and come out. */
export interface Services {
  readonly projects: ProjectService;
  readonly serverlessInstances: ServerlessInstanceService;
  readonly databaseUsers: DatabaseUserService;
  readonly snapshots: SnapshotService;
  readonly restoreJobs: RestoreJobService;
}
