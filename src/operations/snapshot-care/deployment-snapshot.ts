import { type Static, Type } from "typebox";
import type { SnapshotRecord } from "../../ports/metadata/snapshot-records.ts";
import {
  Consistency,
  DateTimeText,
  deploymentPath,
  type Href,
  Link,
  ObjectIdText,
  presentTime,
  snapshotStatuses,
  SnapshotTypeText,
} from "../shapes.ts";

const timeOf = (description: string) => Type.Unsafe<string>({ ...DateTimeText, description });

/** A snapshot of a deployment of any kind, with what keeps and proves it. */
export const DeploymentSnapshot = Type.Object(
  {
    addedSizeBytes: Type.Integer({ description: "Stored bytes that this snapshot added to the store." }),
    clusterTime: Type.Optional(
      Type.Object(
        { increment: Type.Integer(), seconds: Type.Integer() },
        { description: "The time of the cluster that the snapshot holds; only with one time for everything." },
      ),
    ),
    completedAt: Type.Optional(DateTimeText),
    consistency: Type.Optional(Consistency),
    createdAt: Type.Optional(timeOf("When the data was captured; absent until it is.")),
    deploymentName: Type.String(),
    description: Type.Optional(Type.String()),
    expiresAt: timeOf(
      "When it goes, unless it is held or among the newest that stay (`newestKept`): those go when others have taken their place.",
    ),
    failureReason: Type.Optional(Type.String({ description: "Why it failed; one sentence." })),
    frequencyType: Type.String({ examples: ["hourly"] }),
    hold: Type.Optional(
      Type.Object(
        {
          heldAt: DateTimeText,
          heldBy: Type.String({ description: "Public key or client id of who held it." }),
          reason: Type.String(),
        },
        { description: "While it is there the snapshot neither expires nor can be deleted." },
      ),
    ),
    id: ObjectIdText,
    links: Type.Array(Link),
    mongodVersion: Type.Optional(Type.String({ examples: ["8.0.0"] })),
    newestKept: Type.Integer({ description: "It stays while it is among so many newest completed ones." }),
    policyItemIds: Type.Array(ObjectIdText, { description: "Items of the backup policy that it was taken for." }),
    restorability: Type.Object(
      {
        failureReason: Type.Optional(
          Type.String({ description: "Why the last trial failed; absent when it went well." }),
        ),
        lastProvenAt: Type.Optional(timeOf("When it was last restored on trial and found equal, byte for byte.")),
        lastTriedAt: Type.Optional(timeOf("When that was last tried.")),
        underWay: Type.Optional(
          Type.Boolean({ description: "Whether it is being tried, or is about to be; not told in lists." }),
        ),
      },
      { description: "What restores on trial have shown; empty until there was one." },
    ),
    snapshotType: SnapshotTypeText,
    status: Type.Union([...snapshotStatuses]),
    storageSizeBytes: Type.Integer({ description: "Stored bytes that restoring this snapshot reads." }),
  },
  { $id: "DeploymentSnapshot" },
);

export function presentDeploymentSnapshot(
  snapshot: SnapshotRecord,
  projectId: string,
  deploymentName: string,
  href: Href,
  isBeingDrilled?: boolean,
): Static<typeof DeploymentSnapshot> {
  const { clusterTime, completedAtMs, consistency, createdAtMs, description, failureReason, hold, serverVersion } =
    snapshot;
  const { provenAtMs, drilledAtMs, drillFailureReason } = snapshot;
  const path = `${deploymentPath(projectId, deploymentName)}/snapshots/${snapshot.id}`;
  return {
    addedSizeBytes: snapshot.addedSizeBytes,
    ...(clusterTime !== undefined && { clusterTime: { ...clusterTime } }),
    ...(completedAtMs !== undefined && { completedAt: presentTime(completedAtMs) }),
    ...(consistency !== undefined && { consistency }),
    ...(createdAtMs !== undefined && { createdAt: presentTime(createdAtMs) }),
    deploymentName,
    ...(description !== undefined && { description }),
    expiresAt: presentTime(snapshot.expiresAtMs),
    ...(failureReason !== undefined && { failureReason }),
    frequencyType: snapshot.frequencyType,
    ...(hold !== undefined && { hold: { heldAt: presentTime(hold.atMs), heldBy: hold.by, reason: hold.reason } }),
    id: snapshot.id,
    links: [{ href: href(path), rel: "self" }],
    ...(serverVersion !== undefined && { mongodVersion: serverVersion }),
    newestKept: snapshot.newestKept,
    policyItemIds: [...snapshot.policyItemIds],
    restorability: {
      ...(drillFailureReason !== undefined && { failureReason: drillFailureReason }),
      ...(provenAtMs !== undefined && { lastProvenAt: presentTime(provenAtMs) }),
      ...(drilledAtMs !== undefined && { lastTriedAt: presentTime(drilledAtMs) }),
      ...(isBeingDrilled !== undefined && { underWay: isBeingDrilled }),
    },
    snapshotType: snapshot.snapshotType,
    status: snapshot.status,
    storageSizeBytes: snapshot.storageSizeBytes,
  };
}
