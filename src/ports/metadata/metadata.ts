import type { AccessRecords } from "./access-records.ts";
import type { DatabaseUserRecords } from "./database-user-records.ts";
import type { DeploymentRecords } from "./deployment-records.ts";
import type { ExternalSourceRecords } from "./external-source-records.ts";
import type { GarbageCollectionRecords } from "./garbage-collection-records.ts";
import type { JobRecords } from "./job-records.ts";
import type { ObjectCheckRecords } from "./object-check-records.ts";
import type { OrganizationRecords, ProjectRecords } from "./project-records.ts";
import type { RestoreJobRecords } from "./restore-job-records.ts";
import type { SnapshotRecords } from "./snapshot-records.ts";

/** Everything mutable that the product knows, one part per aggregate. */
export interface MetadataRecords {
  readonly organizations: OrganizationRecords;
  readonly projects: ProjectRecords;
  readonly access: AccessRecords;
  readonly deployments: DeploymentRecords;
  readonly externalSources: ExternalSourceRecords;
  readonly databaseUsers: DatabaseUserRecords;
  readonly snapshots: SnapshotRecords;
  readonly restoreJobs: RestoreJobRecords;
  readonly jobs: JobRecords;
  readonly objectChecks: ObjectCheckRecords;
  readonly garbageCollections: GarbageCollectionRecords;
}

/** The metadata database. Every adapter passes `test/conformance/metadata.ts`. */
export interface Metadata extends MetadataRecords {
  /**
   * Runs `work` all or nothing: its writes are durable together when the promise resolves, and none of them stays when `work` throws (the
   * error comes through). Only the records handed to `work` take part. Do no I/O but metadata in it.
   */
  transaction<Result>(work: (records: MetadataRecords) => Promise<Result>): Promise<Result>;
  close(): Promise<void>;
}
