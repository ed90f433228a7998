import { type Static, Type } from "typebox";
import { isSnapshotPlanned } from "../../domain/backups/policy.ts";
import type { DeploymentRecord } from "../../ports/metadata/deployment-records.ts";
import {
  DateTimeText,
  type Href,
  Link,
  ObjectIdText,
  presentTime,
  relation,
  ResourceTags,
  serverlessInstancePath,
} from "../shapes.ts";

/** Where the instance would run in the cloud; kept and shown, without effect here. */
export const ServerlessProviderSettings = Type.Object({
  backingProviderName: Type.String({ description: "AWS, AZURE or GCP.", examples: ["AWS"] }),
  nextBackupDate: Type.Optional(
    Type.Unsafe<string>({
      ...DateTimeText,
      description: "When the next scheduled snapshot is due; absent when its policy plans none.",
    }),
  ),
  providerName: Type.Literal("SERVERLESS"),
  regionName: Type.String({ examples: ["US_EAST_1"] }),
});

/** A serverless instance as the API shows it. */
export const ServerlessInstanceDescription = Type.Object(
  {
    connectionStrings: Type.Object(
      { standard: Type.Optional(Type.String()), standardSrv: Type.Optional(Type.String()) },
      {
        description:
          "Both carry the same working `mongodb://` string (there are no SRV records here); empty until the instance is ready.",
      },
    ),
    createDate: DateTimeText,
    groupId: ObjectIdText,
    id: ObjectIdText,
    links: Type.Array(Link),
    mongoDBVersion: Type.String({ examples: ["8.0.0"] }),
    name: Type.String(),
    providerSettings: ServerlessProviderSettings,
    serverlessBackupOptions: Type.Object({ serverlessContinuousBackupEnabled: Type.Boolean() }),
    stateName: Type.String({ description: "CREATING, IDLE, UPDATING, DELETING or REPAIRING.", examples: ["IDLE"] }),
    tags: Type.Optional(ResourceTags),
    terminationProtectionEnabled: Type.Boolean(),
  },
  { $id: "ServerlessInstanceDescription" },
);

/** What the databases announce and where they are reached; told by whoever hosts them. */
export interface InstanceHosting {
  readonly serverVersion: string;
  /** Without user and password. Undefined until the database was first started. */
  connectionString(deployment: DeploymentRecord): string | undefined;
}

/** The record as the API shows it. `tags` is left out of the answer to a create that sent none, as Atlas does. */
export function presentServerlessInstance(
  deployment: DeploymentRecord,
  hosting: InstanceHosting,
  href: Href,
  created: boolean = false,
): Static<typeof ServerlessInstanceDescription> {
  const self = serverlessInstancePath(deployment.projectId, deployment.name);
  const connectionString = hosting.connectionString(deployment);
  return {
    connectionStrings:
      connectionString === undefined ? {} : { standard: connectionString, standardSrv: connectionString },
    createDate: presentTime(deployment.createdAtMs),
    groupId: deployment.projectId,
    id: deployment.id,
    links: [
      { href: href(self), rel: "self" },
      { href: href(`${self}/backup/restoreJobs`), rel: relation("restoreJobs") },
      { href: href(`${self}/backup/snapshots`), rel: relation("snapshots") },
    ],
    mongoDBVersion: hosting.serverVersion,
    name: deployment.name,
    providerSettings: {
      backingProviderName: deployment.backingProviderName,
      ...(isSnapshotPlanned(deployment) && { nextBackupDate: presentTime(deployment.nextSnapshotAtMs) }),
      providerName: "SERVERLESS",
      regionName: deployment.regionName,
    },
    serverlessBackupOptions: { serverlessContinuousBackupEnabled: deployment.continuousBackupEnabled },
    stateName: deployment.state,
    ...(created && deployment.tags === undefined ? {} : { tags: [...(deployment.tags ?? [])] }),
    terminationProtectionEnabled: deployment.terminationProtectionEnabled,
  };
}
