import { join } from "node:path";
import { createSystemClock } from "../../src/adapters/clock-system.ts";
import { createRandomIds } from "../../src/adapters/ids-random.ts";
import { createSqliteMetadata } from "../../src/adapters/metadata-sql/sqlite-metadata.ts";

/** The instance that holds `size` snapshots. */
export function instanceName(size: number): string {
  return `Holds${size}`;
}

/** Puts instances with so many completed snapshots into the metadata of a stopped server. */
export async function fillStore(dataDirectory: string, projectId: string, sizes: readonly number[]): Promise<void> {
  const ids = createRandomIds();
  const clock = createSystemClock();
  const metadata = await createSqliteMetadata({ path: join(dataDirectory, "metadata.sqlite") });
  const nowMs = clock.nowMs();
  const yearMs = 365 * 86_400_000;
  for (const size of sizes) {
    const deploymentId = ids.objectId();
    await metadata.deployments.insert({
      id: deploymentId,
      projectId,
      kind: "serverless",
      name: instanceName(size),
      state: "IDLE",
      createdAtMs: nowMs,
      backingProviderName: "AWS",
      regionName: "US_EAST_1",
      continuousBackupEnabled: true,
      terminationProtectionEnabled: false,
      tags: [],
      port: undefined,
      generation: 1,
      nextSnapshotAtMs: nowMs + yearMs,
      backupPolicy: undefined,
      owedPolicyItemIds: [],
    });
    for (let first = 0; first < size; first += 10_000) {
      const count = Math.min(10_000, size - first);
      await metadata.snapshots.insertMany(
        Array.from({ length: count }, (_, position) => {
          const createdAtMs = nowMs - (size - first - position) * 1000;
          return {
            id: ids.objectId(),
            deploymentId,
            status: "completed" as const,
            snapshotType: "scheduled" as const,
            frequencyType: "hourly" as const,
            description: undefined,
            requestedAtMs: createdAtMs,
            createdAtMs,
            completedAtMs: createdAtMs,
            expiresAtMs: nowMs + yearMs,
            retentionMs: yearMs,
            storageSizeBytes: 1_000_000 + first + position,
            addedSizeBytes: 1000,
            manifestKey: undefined,
            serverVersion: "7.0.0",
            consistency: "exact" as const,
            clusterTime: undefined,
            failureReason: undefined,
            parentManifestKey: undefined,
            policyItemIds: [],
            newestKept: 1,
            hold: undefined,
            provenAtMs: undefined,
            drilledAtMs: undefined,
            drillFailureReason: undefined,
            catalogueRevision: 1,
            catalogueDue: false,
          };
        }),
      );
    }
  }
  await metadata.close();
}
