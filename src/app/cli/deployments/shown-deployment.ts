import { table } from "../output.ts";

/** What the API answers of an external deployment, as far as it is shown here. */
export interface ShownDeployment {
  readonly name: string;
  readonly stateName: string;
  readonly hosts: readonly string[];
  readonly nextBackupDate?: string;
  readonly probe?: {
    readonly succeeded: boolean;
    readonly failureReason?: string;
    readonly mongoDBVersion?: string;
    readonly topology?: string;
    readonly consistency?: string;
  };
}

/** What the API answers of a snapshot of one. */
export interface ShownSnapshot {
  readonly id: string;
  readonly status: string;
  readonly frequencyType: string;
  readonly createdAt?: string;
  readonly expiresAt: string;
  readonly consistency?: string;
  readonly storageSizeBytes: number;
  readonly failureReason?: string;
}

export function deploymentLines(deployments: readonly ShownDeployment[]): string[] {
  const rows = deployments.map(({ name, stateName, hosts, probe, nextBackupDate }) => [
    name,
    stateName,
    hosts.join(","),
    probe?.topology ?? "-",
    probe?.mongoDBVersion ?? "-",
    probe?.consistency ?? "-",
    nextBackupDate ?? "-",
  ]);
  const failures = deployments.flatMap(({ name, probe }) =>
    probe?.failureReason === undefined ? [] : [`${name}: ${probe.failureReason}`],
  );
  return [...table(["NAME", "STATE", "HOSTS", "TOPOLOGY", "VERSION", "CONSISTENCY", "NEXT"], rows), ...failures];
}
