import type { ApiKeyRecord, ServiceAccountRecord } from "../../src/ports/metadata/access-records.ts";
import type { DatabaseUserRecord } from "../../src/ports/metadata/database-user-records.ts";
import type { DeploymentRecord } from "../../src/ports/metadata/deployment-records.ts";
import type { JobRecord } from "../../src/ports/metadata/job-records.ts";
import type { Metadata } from "../../src/ports/metadata/metadata.ts";
import type { ProjectRecord } from "../../src/ports/metadata/project-records.ts";
import type { RestoreJobRecord } from "../../src/ports/metadata/restore-job-records.ts";
import type { SnapshotRecord } from "../../src/ports/metadata/snapshot-records.ts";

/** 24 hex digits that read as the number. */
export function idOf(number: number): string {
  return number.toString(16).padStart(24, "0");
}

export const organizationId = idOf(0xa0);
export const projectId = idOf(0xb0);
export const deploymentId = idOf(0xc0);

export function project(changes: Partial<ProjectRecord> = {}): ProjectRecord {
  return {
    id: projectId,
    organizationId,
    name: "Project 0",
    createdAtMs: 1_767_225_600_000,
    tags: undefined,
    withDefaultAlertsSettings: true,
    ...changes,
  };
}

export function deployment(changes: Partial<DeploymentRecord> = {}): DeploymentRecord {
  return {
    id: deploymentId,
    projectId,
    kind: "serverless",
    name: "Instance0",
    state: "IDLE",
    createdAtMs: 1_767_225_600_000,
    backingProviderName: "AWS",
    regionName: "US_EAST_1",
    continuousBackupEnabled: true,
    terminationProtectionEnabled: false,
    tags: undefined,
    port: undefined,
    generation: 1,
    nextSnapshotAtMs: 1_767_247_200_000,
    backupPolicy: undefined,
    owedPolicyItemIds: [],
    ...changes,
  };
}

export function snapshot(id: string, changes: Partial<SnapshotRecord> = {}): Omit<SnapshotRecord, "sequence"> {
  return {
    id,
    deploymentId,
    status: "completed",
    snapshotType: "scheduled",
    frequencyType: "hourly",
    description: undefined,
    requestedAtMs: 1_767_225_600_000,
    createdAtMs: 1_767_225_601_000,
    completedAtMs: 1_767_225_602_000,
    expiresAtMs: 1_767_484_802_000,
    retentionMs: 259_200_000,
    storageSizeBytes: 4096,
    addedSizeBytes: 1024,
    manifestKey: `manifests/${id}`,
    serverVersion: "7.0.0",
    consistency: "exact",
    clusterTime: { seconds: 1_767_225_601, increment: 3 },
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
    ...changes,
  };
}

export function restoreJob(id: string, changes: Partial<RestoreJobRecord> = {}): RestoreJobRecord {
  return {
    id,
    deploymentId,
    snapshotId: idOf(1),
    deliveryType: "automated",
    targetProjectId: projectId,
    targetDeploymentId: deploymentId,
    targetName: "Instance0",
    replacesExisting: false,
    publishing: false,
    requestedAtMs: 1_767_225_700_000,
    snapshotCreatedAtMs: 1_767_225_601_000,
    finishedAtMs: undefined,
    failed: false,
    failureReason: undefined,
    ...changes,
  };
}

export function databaseUser(changes: Partial<DatabaseUserRecord> = {}): DatabaseUserRecord {
  return {
    projectId,
    databaseName: "admin",
    username: "alice",
    credential: {
      salt: Uint8Array.of(1, 2, 3),
      iterationCount: 15_000,
      storedKey: Uint8Array.of(4, 5),
      serverKey: Uint8Array.of(6, 7),
    },
    roles: [{ roleName: "readWrite", databaseName: "shop", collectionName: "orders" }],
    scopes: [{ name: "Instance0", type: "CLUSTER" }],
    labels: [{ key: "team", value: "core" }],
    description: "the shop",
    deleteAfterMs: undefined,
    createdAtMs: 1_767_225_600_000,
    ...changes,
  };
}

export function job(id: string, changes: Partial<JobRecord> = {}): Omit<JobRecord, "attempts"> {
  return { id, kind: "takeSnapshot", subjectId: `${id}-subject`, exclusiveKey: `${id}-key`, runAtMs: 1000, ...changes };
}

export function apiKey(changes: Partial<ApiKeyRecord> = {}): ApiKeyRecord {
  return {
    id: idOf(0xd0),
    organizationId,
    publicKey: "abcdefgh",
    description: "first key",
    sealedDigestSecrets: Uint8Array.of(9, 8, 7),
    privateKeySuffix: "0123456789ab",
    createdAtMs: 1_767_225_600_000,
    roles: [{ scope: "organization", scopeId: organizationId, roleName: "ORG_OWNER" }],
    ...changes,
  };
}

export function serviceAccount(changes: Partial<ServiceAccountRecord> = {}): ServiceAccountRecord {
  return {
    clientId: `mdb_sa_id_${idOf(0xe0)}`,
    organizationId,
    name: "first account",
    description: "",
    createdAtMs: 1_767_225_600_000,
    secrets: [
      {
        id: idOf(0xe1),
        secretHash: Uint8Array.of(1),
        createdAtMs: 1_767_225_600_000,
        expiresAtMs: 1_798_761_600_000,
        lastUsedAtMs: undefined,
      },
      {
        id: idOf(0xe2),
        secretHash: Uint8Array.of(2),
        createdAtMs: 1_767_225_600_001,
        expiresAtMs: 1_798_761_600_001,
        lastUsedAtMs: 1_767_225_600_002,
      },
    ],
    roles: [
      { scope: "organization", scopeId: organizationId, roleName: "ORG_MEMBER" },
      { scope: "project", scopeId: projectId, roleName: "GROUP_OWNER" },
    ],
    ...changes,
  };
}

/** The organization, project and deployment that the records above belong to. */
export async function putParents(metadata: Metadata): Promise<void> {
  await metadata.organizations.insert({ id: organizationId, name: "Organization 0", createdAtMs: 1_767_225_600_000 });
  await metadata.projects.insert(project());
  await metadata.deployments.insert(deployment());
}
