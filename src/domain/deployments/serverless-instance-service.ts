import type { Clock } from "../../ports/clock.ts";
import type { Ids } from "../../ports/ids.ts";
import type { DeploymentChanges, DeploymentRecord } from "../../ports/metadata/deployment-records.ts";
import type { Metadata, MetadataRecords } from "../../ports/metadata/metadata.ts";
import type { Tag } from "../../ports/metadata/project-records.ts";
import type { Page, PageRequest } from "../../shared/page.ts";
import { checkTags } from "../attributes/tags.ts";
import { policyOf } from "../backups/policy.ts";
import { nextSnapshotAtMs } from "../backups/schedule.ts";
import { groupNotFound } from "../access/errors.ts";
import {
  clusterAlreadyRequestedDeletion,
  deploymentHasHeldSnapshots,
  terminationProtectionEnabled,
  tooManyInstances,
} from "./errors.ts";
import { checkInstanceName, checkNameIsFree } from "./instance-name.ts";
import { checkRegion } from "./regions.ts";
import { requireInstance } from "./require-instance.ts";

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
  /** State `DELETING` and a `deprovision` job. Throws under termination protection, while a snapshot of it is held, and the second time. */
  delete(projectId: string, name: string): Promise<void>;
}

export interface ServerlessInstanceServiceDependencies {
  readonly metadata: Metadata;
  readonly clock: Clock;
  readonly ids: Ids;
}

/** Each instance has a port and a data file of its own; a project has at most so many. */
export const maximumInstancesPerProject = 100;

/** The generation of a data file that no restore has written. */
const firstGeneration = 1;

export function createServerlessInstanceService(
  dependencies: ServerlessInstanceServiceDependencies,
): ServerlessInstanceService {
  const { metadata, clock, ids } = dependencies;

  const queue = (records: MetadataRecords, kind: "provision" | "deprovision", deploymentId: string): Promise<void> =>
    records.jobs.insert({
      id: ids.objectId(),
      kind,
      subjectId: deploymentId,
      exclusiveKey: deploymentId,
      runAtMs: clock.nowMs(),
    });

  return {
    list: (projectId, page) => metadata.deployments.page(projectId, "serverless", page),
    get: (projectId, name) => requireInstance(metadata, projectId, name),
    create: async (projectId, request) => {
      checkInstanceName(request.name);
      checkRegion(request.backingProviderName, request.regionName);
      if (request.tags !== undefined) checkTags(request.tags);
      return metadata.transaction(async (records) => {
        if ((await records.projects.find(projectId)) === undefined) throw groupNotFound(projectId);
        checkNameIsFree(request.name, await records.deployments.names(projectId), projectId);
        if ((await records.deployments.count(projectId, "serverless")) >= maximumInstancesPerProject)
          throw tooManyInstances(maximumInstancesPerProject, projectId);
        const deployment = newDeployment(ids.objectId(), projectId, request, clock.nowMs());
        await records.deployments.insert(deployment);
        await queue(records, "provision", deployment.id);
        return deployment;
      });
    },
    update: async (projectId, name, changes) => {
      if (changes.tags !== undefined) checkTags(changes.tags);
      return metadata.transaction(async (records) => {
        const deployment = await requireInstance(records, projectId, name);
        if (deployment.state === "DELETING") throw clusterAlreadyRequestedDeletion(name);
        // One that is still being created says so until its own job has ended; that job is queued already.
        const updating = deployment.state !== "CREATING";
        await records.deployments.update(deployment.id, {
          ...given(changes),
          ...(updating && { state: "UPDATING" as const }),
        });
        if (updating) await queue(records, "provision", deployment.id);
        return requireInstance(records, projectId, name);
      });
    },
    delete: (projectId, name) =>
      metadata.transaction(async (records) => {
        const deployment = await requireInstance(records, projectId, name);
        if (deployment.state === "DELETING") throw clusterAlreadyRequestedDeletion(name);
        if (deployment.terminationProtectionEnabled) throw terminationProtectionEnabled(name, projectId);
        if (await records.snapshots.anyHeld(deployment.id)) throw deploymentHasHeldSnapshots(name);
        await records.deployments.update(deployment.id, { state: "DELETING" });
        await queue(records, "deprovision", deployment.id);
      }),
  };
}

function newDeployment(
  id: string,
  projectId: string,
  request: CreateServerlessInstance,
  nowMs: number,
): DeploymentRecord {
  const described = {
    id,
    kind: "serverless",
    createdAtMs: nowMs,
    continuousBackupEnabled: request.continuousBackupEnabled ?? true,
    backupPolicy: undefined,
  } as const;
  return {
    ...described,
    projectId,
    name: request.name,
    state: "CREATING",
    backingProviderName: request.backingProviderName,
    regionName: request.regionName,
    terminationProtectionEnabled: request.terminationProtectionEnabled ?? false,
    tags: request.tags,
    port: undefined,
    generation: firstGeneration,
    nextSnapshotAtMs: nextSnapshotAtMs(policyOf(described), nowMs),
    owedPolicyItemIds: [],
  };
}

/** Only what was given; a change of undefined would empty the field. */
function given(changes: ServerlessInstanceChanges): DeploymentChanges {
  return {
    ...(changes.continuousBackupEnabled !== undefined && { continuousBackupEnabled: changes.continuousBackupEnabled }),
    ...(changes.terminationProtectionEnabled !== undefined && {
      terminationProtectionEnabled: changes.terminationProtectionEnabled,
    }),
    ...(changes.tags !== undefined && { tags: changes.tags }),
  };
}
