import type { Clock } from "../ports/clock.ts";
import type { Ids } from "../ports/ids.ts";
import type { Metadata } from "../ports/metadata/metadata.ts";
import { createRestoreJobService, type RestoreJobService } from "./backups/restore-job-service.ts";
import { createSnapshotService, type SnapshotService } from "./backups/snapshot-service.ts";
import { createDatabaseUserService, type DatabaseUserService } from "./database-users/database-user-service.ts";
import {
  createServerlessInstanceService,
  type ServerlessInstanceService,
} from "./deployments/serverless-instance-service.ts";
import { createProjectService, type ProjectService } from "./projects/project-service.ts";

/** The rules of the product, as operations use them: records go in and come out. */
export interface Services {
  readonly projects: ProjectService;
  readonly serverlessInstances: ServerlessInstanceService;
  readonly databaseUsers: DatabaseUserService;
  readonly snapshots: SnapshotService;
  readonly restoreJobs: RestoreJobService;
}

export interface ServicesDependencies {
  readonly metadata: Metadata;
  readonly clock: Clock;
  readonly ids: Ids;
}

export function createServices(dependencies: ServicesDependencies): Services {
  return {
    projects: createProjectService(dependencies),
    serverlessInstances: createServerlessInstanceService(dependencies),
    databaseUsers: createDatabaseUserService(dependencies),
    snapshots: createSnapshotService(dependencies),
    restoreJobs: createRestoreJobService(dependencies),
  };
}
