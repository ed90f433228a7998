import type { Clock } from "../../ports/clock.ts";
import type { Ids } from "../../ports/ids.ts";
import type { DeploymentRecord } from "../../ports/metadata/deployment-records.ts";
import type { ProbeRecord } from "../../ports/metadata/external-source-records.ts";
import type { Metadata } from "../../ports/metadata/metadata.ts";
import type { Sealer } from "../../ports/sealer.ts";
import { type SourceProbe, SourceUnusable } from "../../ports/source-probe.ts";
import type { AllowedHosts } from "../../shared/allowed-hosts.ts";
import type { Page, PageRequest } from "../../shared/page.ts";
import { groupNotFound } from "../access/errors.ts";
import { policyOf, type PresetName, presetPolicy } from "../backups/policy.ts";
import { nextSnapshotAtMs } from "../backups/schedule.ts";
import { type ConnectionString, parseConnectionString } from "./connection-string.ts";
import { clusterAlreadyRequestedDeletion, deploymentHasHeldSnapshots } from "./errors.ts";
import {
  deploymentDetached,
  deploymentNotUsable,
  externalDeploymentsOff,
  hostNotAllowed,
  tooManyExternalDeployments,
  tooManyProbes,
} from "./external-errors.ts";
import { checkInstanceName, checkNameIsFree } from "./instance-name.ts";
import { type ExternalDeployment, requireExternalDeployment, withSource } from "./require-external-deployment.ts";
import { sealConnectionString, unsealConnectionString } from "./sealed-connection-string.ts";

export interface AttachExternalDeployment {
  readonly name: string;
  readonly connectionString: string;
  /** `DEDICATED` when left out. */
  readonly backupPolicy?: PresetName | undefined;
}

/** What is left out stays as it is. */
export interface ExternalDeploymentChanges {
  readonly connectionString?: string | undefined;
  readonly backupPolicy?: PresetName | undefined;
}

/** Deployments that run elsewhere. Every call but `attach` and `list` throws `EXTERNAL_DEPLOYMENT_NOT_FOUND`. */
export interface ExternalDeploymentService {
  /** Oldest first. */
  list(projectId: string, page: PageRequest): Promise<Page<ExternalDeployment>>;
  get(projectId: string, name: string): Promise<ExternalDeployment>;
  /**
   * Tries the connection string and keeps it sealed. Throws the errors of a bad name or string, `HOST_NOT_ALLOWED`, `EXTERNAL_DEPLOYMENTS_OFF`, and
   * `EXTERNAL_DEPLOYMENT_NOT_USABLE` when it cannot be read with it now.
   */
  attach(projectId: string, request: AttachExternalDeployment): Promise<ExternalDeployment>;
  /** A new string is tried as in `attach`, and attaches what was detached. */
  update(projectId: string, name: string, changes: ExternalDeploymentChanges): Promise<ExternalDeployment>;
  /** Tries again what it can do and keeps what was found, also that it cannot be used now. Throws `EXTERNAL_DEPLOYMENT_DETACHED`. */
  probe(projectId: string, name: string): Promise<ExternalDeployment>;
  /** Forgets the connection string. The snapshots stay until they expire, unless they are to be deleted: then nothing of the deployment stays. Throws
   * `DEPLOYMENT_HAS_HELD_SNAPSHOTS` then, while one of them is held. */
  detach(projectId: string, name: string, deleteSnapshots: boolean): Promise<void>;
}

export interface ExternalDeploymentServiceDependencies {
  readonly metadata: Metadata;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly sealer: Sealer;
  readonly probe: SourceProbe;
  readonly allowedHosts: AllowedHosts;
}

export const maximumExternalDeploymentsPerProject = 100;
/** Deployments that are tried at once, in the whole process: each may hold a request for as long as a server takes to be given up. */
const probesMax = 8;

export function createExternalDeploymentService(
  dependencies: ExternalDeploymentServiceDependencies,
): ExternalDeploymentService {
  const { metadata, clock, ids, sealer, allowedHosts } = dependencies;
  let probes = 0;

  const understand = (given: string): ConnectionString => {
    if (allowedHosts.none) throw externalDeploymentsOff();
    const connectionString = parseConnectionString(given);
    // The hosts behind a DNS record are asked about when they are known.
    const isRecord = connectionString.text.startsWith("mongodb+srv:");
    for (const host of connectionString.hostNames)
      if (!isRecord && allowedHosts.host(host) === "no") throw hostNotAllowed(host);
    return connectionString;
  };

  const tryOut = async (text: string): Promise<ProbeRecord> => {
    if (allowedHosts.none) throw externalDeploymentsOff();
    if (probes >= probesMax) throw tooManyProbes();
    probes += 1;
    try {
      const abilities = await dependencies.probe.probe(text, new AbortController().signal);
      return { atMs: clock.nowMs(), abilities };
    } catch (error) {
      if (!(error instanceof SourceUnusable)) throw error;
      return { atMs: clock.nowMs(), failureReason: error.message };
    } finally {
      probes -= 1;
    }
  };

  const requireUsable = (probe: ProbeRecord): ProbeRecord => {
    if (probe.failureReason !== undefined) throw deploymentNotUsable(probe.failureReason);
    return probe;
  };

  const checkRoom = async (records: Pick<Metadata, "projects" | "deployments">, projectId: string, name: string) => {
    if ((await records.projects.find(projectId)) === undefined) throw groupNotFound(projectId);
    checkNameIsFree(name, await records.deployments.names(projectId), projectId);
    if ((await records.deployments.count(projectId, "external")) >= maximumExternalDeploymentsPerProject)
      throw tooManyExternalDeployments(maximumExternalDeploymentsPerProject, projectId);
  };

  return {
    list: async (projectId, request) => {
      const page = await metadata.deployments.page(projectId, "external", request);
      const items: ExternalDeployment[] = [];
      for (const deployment of page.items) items.push(await withSource(metadata, deployment));
      return { ...page, items };
    },
    get: async (projectId, name) => withSource(metadata, await requireExternalDeployment(metadata, projectId, name)),
    attach: async (projectId, request) => {
      checkInstanceName(request.name);
      const connectionString = understand(request.connectionString);
      await checkRoom(metadata, projectId, request.name);
      const probe = requireUsable(await tryOut(connectionString.text));
      return metadata.transaction(async (records) => {
        await checkRoom(records, projectId, request.name);
        const nowMs = clock.nowMs();
        const deployment = newDeployment(ids.objectId(), projectId, request, nowMs);
        await records.deployments.insert(deployment);
        const source = {
          deploymentId: deployment.id,
          sealedConnectionString: sealConnectionString(sealer, deployment.id, connectionString.text),
          hosts: connectionString.hosts,
          replacedAtMs: nowMs,
          probe,
        };
        await records.externalSources.insert(source);
        return { deployment, source };
      });
    },
    update: async (projectId, name, changes) => {
      const { id } = await requireExternalDeployment(metadata, projectId, name);
      const given = changes.connectionString === undefined ? undefined : understand(changes.connectionString);
      const probe = given === undefined ? undefined : requireUsable(await tryOut(given.text));
      return metadata.transaction(async (records) => {
        const deployment = await requireExternalDeployment(records, projectId, name);
        if (deployment.state === "DELETING") throw clusterAlreadyRequestedDeletion(name);
        // Another one of that name may have come meanwhile.
        if (deployment.id !== id) throw clusterAlreadyRequestedDeletion(name);
        const policy =
          changes.backupPolicy === undefined ? policyOf(deployment) : presetPolicy(changes.backupPolicy, deployment);
        const nowMs = clock.nowMs();
        if (changes.backupPolicy !== undefined)
          await records.deployments.update(id, {
            backupPolicy: policy,
            nextSnapshotAtMs: nextSnapshotAtMs(policy, nowMs),
            owedPolicyItemIds: [],
          });
        if (given !== undefined) {
          await records.externalSources.update(id, {
            sealedConnectionString: sealConnectionString(sealer, id, given.text),
            hosts: given.hosts,
            replacedAtMs: nowMs,
            probe,
          });
          await records.deployments.update(id, {
            state: "IDLE",
            ...(deployment.state === "DETACHED" && {
              nextSnapshotAtMs: nextSnapshotAtMs(policy, nowMs),
            }),
          });
        }
        return withSource(records, await requireExternalDeployment(records, projectId, name));
      });
    },
    probe: async (projectId, name) => {
      const { deployment, source } = await withSource(
        metadata,
        await requireExternalDeployment(metadata, projectId, name),
      );
      if (source.sealedConnectionString === undefined) throw deploymentDetached(name);
      const probe = await tryOut(unsealConnectionString(sealer, deployment.id, source.sealedConnectionString));
      await metadata.transaction(async (records) => {
        const now = await records.externalSources.find(deployment.id);
        // What was found is of the string that was tried.
        if (now?.replacedAtMs === source.replacedAtMs) await records.externalSources.update(deployment.id, { probe });
      });
      return withSource(metadata, await requireExternalDeployment(metadata, projectId, name));
    },
    detach: (projectId, name, deleteSnapshots) =>
      metadata.transaction(async (records) => {
        const { id, state } = await requireExternalDeployment(records, projectId, name);
        if (state === "DELETING") throw clusterAlreadyRequestedDeletion(name);
        if (deleteSnapshots && (await records.snapshots.anyHeld(id))) throw deploymentHasHeldSnapshots(name);
        await records.externalSources.update(id, { sealedConnectionString: undefined, probe: undefined });
        await records.deployments.update(id, { state: deleteSnapshots ? "DELETING" : "DETACHED" });
        if (!deleteSnapshots) return;
        await records.jobs.insert({
          id: ids.objectId(),
          kind: "deprovision",
          subjectId: id,
          exclusiveKey: id,
          runAtMs: clock.nowMs(),
        });
      }),
  };
}

function newDeployment(
  id: string,
  projectId: string,
  request: AttachExternalDeployment,
  nowMs: number,
): DeploymentRecord {
  const backupPolicy = presetPolicy(request.backupPolicy ?? "DEDICATED", { id, createdAtMs: nowMs });
  return {
    id,
    projectId,
    kind: "external",
    name: request.name,
    state: "IDLE",
    createdAtMs: nowMs,
    backingProviderName: "",
    regionName: "",
    continuousBackupEnabled: true,
    terminationProtectionEnabled: false,
    tags: undefined,
    port: undefined,
    generation: 1,
    nextSnapshotAtMs: nextSnapshotAtMs(backupPolicy, nowMs),
    backupPolicy,
    owedPolicyItemIds: [],
  };
}
