import type { Clock } from "../ports/clock.ts";
import type { Ids } from "../ports/ids.ts";
import type { Metadata } from "../ports/metadata/metadata.ts";
import type { Sealer } from "../ports/sealer.ts";
import type { SourceProbe } from "../ports/source-probe.ts";
import type { AllowedHosts } from "../shared/allowed-hosts.ts";
import { type BackupPolicyService, createBackupPolicyService } from "./backups/backup-policy-service.ts";
import { createGarbageCollectionService, type GarbageCollectionService } from "./backups/garbage-collection-service.ts";
import { createRestoreJobService, type RestoreJobService } from "./backups/restore-job-service.ts";
import { createSnapshotCareService, type SnapshotCareService } from "./backups/snapshot-care-service.ts";
import { createSnapshotService, type SnapshotService } from "./backups/snapshot-service.ts";
import { createDatabaseUserService, type DatabaseUserService } from "./database-users/database-user-service.ts";
import {
  createExternalDeploymentService,
  type ExternalDeploymentService,
} from "./deployments/external-deployment-service.ts";
import { requireBackedUpCluster } from "./deployments/require-cluster.ts";
import { requireDeployment } from "./deployments/require-deployment.ts";
import { requireExternalDeployment } from "./deployments/require-external-deployment.ts";
import { requireInstance } from "./deployments/require-instance.ts";
import {
  createServerlessInstanceService,
  type ServerlessInstanceService,
} from "./deployments/serverless-instance-service.ts";
import { createProjectService, type ProjectService } from "./projects/project-service.ts";

/** The rules of the product, as operations use them: records go in and come out. */
export interface Services {
  readonly projects: ProjectService;
  readonly serverlessInstances: ServerlessInstanceService;
  readonly externalDeployments: ExternalDeploymentService;
  readonly databaseUsers: DatabaseUserService;
  /** Of serverless instances. */
  readonly snapshots: SnapshotService;
  readonly snapshotCare: SnapshotCareService;
  /** Of deployments of every kind. */
  readonly backupPolicies: BackupPolicyService;
  /** The same as Atlas has it: of clusters alone. */
  readonly clusterBackupSchedules: BackupPolicyService;
  readonly garbageCollections: GarbageCollectionService;
  readonly restoreJobs: RestoreJobService;
  /** Of external deployments. */
  readonly externalSnapshots: SnapshotService;
  /** Of deployments of every kind, into deployments of every kind. */
  readonly deploymentRestoreJobs: RestoreJobService;
}

export interface ServicesDependencies {
  readonly metadata: Metadata;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly sealer: Sealer;
  readonly probe: SourceProbe;
  readonly allowedHosts: AllowedHosts;
}

export function createServices(dependencies: ServicesDependencies): Services {
  return {
    projects: createProjectService(dependencies),
    serverlessInstances: createServerlessInstanceService(dependencies),
    databaseUsers: createDatabaseUserService(dependencies),
    externalDeployments: createExternalDeploymentService(dependencies),
    snapshots: createSnapshotService({ ...dependencies, requireDeployment: requireInstance }),
    snapshotCare: createSnapshotCareService(dependencies),
    garbageCollections: createGarbageCollectionService(dependencies),
    backupPolicies: createBackupPolicyService({ ...dependencies, requireDeployment }),
    clusterBackupSchedules: createBackupPolicyService({ ...dependencies, requireDeployment: requireBackedUpCluster }),
    restoreJobs: createRestoreJobService({ ...dependencies, requireDeployment: requireInstance }),
    externalSnapshots: createSnapshotService({ ...dependencies, requireDeployment: requireExternalDeployment }),
    deploymentRestoreJobs: createRestoreJobService({ ...dependencies, requireDeployment }),
  };
}
