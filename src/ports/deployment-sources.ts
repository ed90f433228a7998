import type { DeploymentRecord } from "./metadata/deployment-records.ts";
import type { SnapshotSource } from "./snapshot-source.ts";

/** Where a deployment is read, and by what. */
export interface DeploymentSource {
  readonly source: SnapshotSource;
  /** Secret: never logged, never stored readable. */
  readonly connectionString: string;
}

/** Knows where every deployment is read: the databases hosted here, and those that run elsewhere. */
export interface DeploymentSources {
  /** Throws when the deployment is detached. */
  of(deployment: DeploymentRecord): Promise<DeploymentSource>;
}
