import { type Static, Type } from "typebox";
import type { SnapshotRecord } from "../../ports/metadata/snapshot-records.ts";
import {
  DateTimeText,
  externalDeploymentPath,
  type Href,
  Link,
  ObjectIdText,
  presentTime,
  snapshotStatuses,
  SnapshotTypeText,
} from "../shapes.ts";
import { Consistency } from "./external-deployment.ts";

/** A snapshot of an external deployment as the API shows it. */
export const ExternalDeploymentSnapshot = Type.Object(
  {
    clusterTime: Type.Optional(
      Type.Object(
        { increment: Type.Integer(), seconds: Type.Integer() },
        { description: "The time of the cluster that the snapshot holds; only with one time for everything." },
      ),
    ),
    consistency: Type.Optional(Consistency),
    createdAt: Type.Optional(
      Type.Unsafe<string>({ ...DateTimeText, description: "When the data was captured; absent until it is." }),
    ),
    description: Type.Optional(Type.String()),
    expiresAt: DateTimeText,
    externalDeploymentName: Type.String(),
    failureReason: Type.Optional(Type.String({ description: "Why it failed; one sentence." })),
    frequencyType: Type.String({ examples: ["hourly"] }),
    id: ObjectIdText,
    links: Type.Array(Link),
    mongodVersion: Type.Optional(Type.String({ examples: ["7.0.14"] })),
    provenRestorableAt: Type.Optional(
      Type.Unsafe<string>({ ...DateTimeText, description: "When it was last restored on trial and compared." }),
    ),
    snapshotType: SnapshotTypeText,
    status: Type.Union([...snapshotStatuses]),
    storageSizeBytes: Type.Integer({ description: "Stored bytes that restoring this snapshot reads." }),
  },
  { $id: "ExternalDeploymentSnapshot" },
);

export function presentExternalDeploymentSnapshot(
  snapshot: SnapshotRecord,
  projectId: string,
  deploymentName: string,
  href: Href,
): Static<typeof ExternalDeploymentSnapshot> {
  const deployment = externalDeploymentPath(projectId, deploymentName);
  const { clusterTime, consistency, createdAtMs, description, failureReason, provenAtMs, serverVersion } = snapshot;
  return {
    ...(clusterTime !== undefined && { clusterTime: { ...clusterTime } }),
    ...(consistency !== undefined && { consistency }),
    ...(createdAtMs !== undefined && { createdAt: presentTime(createdAtMs) }),
    ...(description !== undefined && { description }),
    expiresAt: presentTime(snapshot.expiresAtMs),
    externalDeploymentName: deploymentName,
    ...(failureReason !== undefined && { failureReason }),
    frequencyType: snapshot.frequencyType,
    id: snapshot.id,
    links: [{ href: href(`${deployment}/snapshots/${snapshot.id}`), rel: "self" }],
    ...(serverVersion !== undefined && { mongodVersion: serverVersion }),
    ...(provenAtMs !== undefined && { provenRestorableAt: presentTime(provenAtMs) }),
    snapshotType: snapshot.snapshotType,
    status: snapshot.status,
    storageSizeBytes: snapshot.storageSizeBytes,
  };
}
