import { type Static, Type } from "typebox";
import type { ExternalDeployment as Described } from "../../domain/deployments/require-external-deployment.ts";
import { isSnapshotPlanned, policyOf, presetNames } from "../../domain/backups/policy.ts";
import type { ProbeRecord } from "../../ports/metadata/external-source-records.ts";
import {
  Consistency,
  DateTimeText,
  externalDeploymentPath,
  type Href,
  Link,
  ObjectIdText,
  presentTime,
} from "../shapes.ts";

const Probe = Type.Object(
  {
    consistency: Type.Optional(Consistency),
    failureReason: Type.Optional(Type.String({ description: "Why it could not be used; one sentence." })),
    mongoDBVersion: Type.Optional(Type.String({ description: "As the server announces it.", examples: ["7.0.14"] })),
    operationLogReadable: Type.Optional(Type.Boolean()),
    probedAt: DateTimeText,
    snapshotReads: Type.Optional(
      Type.Boolean({ description: "Whether it answers reads at one time for all collections." }),
    ),
    succeeded: Type.Boolean(),
    topology: Type.Optional(
      Type.String({ description: "replicaSet, sharded, standalone or loadBalanced.", examples: ["replicaSet"] }),
    ),
  },
  { description: "What was found when it was last tried; absent while it is detached." },
);

/** A deployment that runs elsewhere, as the API shows it. The connection string is never shown again. */
export const ExternalDeployment = Type.Object(
  {
    backupPolicyItems: Type.Array(
      Type.Object({
        frequencyInterval: Type.Integer(),
        frequencyType: Type.String({ examples: ["hourly"] }),
        retentionUnit: Type.String({ examples: ["days"] }),
        retentionValue: Type.Integer(),
      }),
      { description: "When snapshots are taken, and how long they are kept." },
    ),
    createDate: DateTimeText,
    groupId: ObjectIdText,
    hosts: Type.Array(Type.String(), {
      description: "Hosts of the connection string, or the name of its DNS record; without user and password.",
    }),
    id: ObjectIdText,
    links: Type.Array(Link),
    name: Type.String(),
    nextBackupDate: Type.Optional(DateTimeText),
    probe: Type.Optional(Probe),
    stateName: Type.String({
      description: "IDLE, DETACHED (no connection string; its snapshots are there) or DELETING.",
      examples: ["IDLE"],
    }),
  },
  { $id: "ExternalDeployment" },
);

export const connectionStringAttribute = Type.String({
  minLength: 1,
  maxLength: 4096,
  description:
    "`mongodb://` or `mongodb+srv://`, with a user that may read everything (the roles backup, or readAnyDatabase and clusterMonitor). Sealed at rest and never shown again. Options that read files of the server, weaken TLS or use the identity of the machine are refused.",
});

export const backupPolicyAttribute = Type.Union(
  presetNames.map((name) => Type.Literal(name)),
  {
    description:
      "When snapshots are taken and how long they are kept, as Atlas's kinds of deployment have it: `DEDICATED` (hourly to yearly) when left out. Finer: `backupPolicy` of the deployment.",
  },
);

export function presentExternalDeployment(
  { deployment, source }: Described,
  href: Href,
): Static<typeof ExternalDeployment> {
  const self = externalDeploymentPath(deployment.projectId, deployment.name);
  return {
    backupPolicyItems: policyOf(deployment).items.map(
      ({ frequencyInterval, frequencyType, retentionUnit, retentionValue }) => ({
        frequencyInterval,
        frequencyType,
        retentionUnit,
        retentionValue,
      }),
    ),
    createDate: presentTime(deployment.createdAtMs),
    groupId: deployment.projectId,
    hosts: [...source.hosts],
    id: deployment.id,
    links: [
      { href: href(self), rel: "self" },
      { href: href(`${self}/snapshots`), rel: "snapshots" },
      { href: href(`${self}/restoreJobs`), rel: "restoreJobs" },
    ],
    name: deployment.name,
    ...(deployment.state === "IDLE" &&
      isSnapshotPlanned(deployment) && { nextBackupDate: presentTime(deployment.nextSnapshotAtMs) }),
    ...(source.probe !== undefined && { probe: presentProbe(source.probe) }),
    stateName: deployment.state,
  };
}

function presentProbe({ atMs, abilities, failureReason }: ProbeRecord): Static<typeof Probe> {
  return {
    ...(abilities !== undefined && {
      consistency: abilities.consistency,
      mongoDBVersion: abilities.serverVersion,
      operationLogReadable: abilities.logReadable,
      snapshotReads: abilities.snapshotReads,
      topology: abilities.topology,
    }),
    ...(failureReason !== undefined && { failureReason }),
    probedAt: presentTime(atMs),
    succeeded: failureReason === undefined,
  };
}
