/** How far a deployment can be read at one time, as it was found by trying. */
export interface ProbedAbilities {
  readonly topology: "replicaSet" | "sharded" | "standalone" | "loadBalanced";
  /** `x.y.z` as the server announces it. */
  readonly serverVersion: string;
  /** Whether a read at one time for all collections was answered. */
  readonly snapshotReads: boolean;
  /** Whether its operation log could be read. */
  readonly logReadable: boolean;
  /** How a snapshot would be read. */
  readonly consistency: "exact" | "log_catch_up" | "best_effort";
}

/** What was found when the deployment was last tried: its abilities, or one sentence for people why it could not be used. */
export interface ProbeRecord {
  readonly atMs: number;
  readonly abilities?: ProbedAbilities;
  readonly failureReason?: string;
}

/** How an external deployment is reached. */
export interface ExternalSourceRecord {
  readonly deploymentId: string;
  /** The connection string, sealed; undefined while the deployment is detached. */
  readonly sealedConnectionString: Uint8Array | undefined;
  /** `host:port` each (or the name of a DNS record), without user and password. */
  readonly hosts: readonly string[];
  /** When the connection string was given. Whatever lies before may be of another cluster. */
  readonly replacedAtMs: number;
  readonly probe: ProbeRecord | undefined;
}

export interface ExternalSourceRecords {
  insert(source: ExternalSourceRecord): Promise<void>;
  find(deploymentId: string): Promise<ExternalSourceRecord | undefined>;
  update(deploymentId: string, changes: Partial<Omit<ExternalSourceRecord, "deploymentId">>): Promise<void>;
}
