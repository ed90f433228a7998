import { type Static, Type } from "typebox";
import type { SnapshotRecord } from "../../ports/metadata/snapshot-records.ts";
import {
  DateTimeText,
  type Href,
  Link,
  ObjectIdText,
  presentTime,
  snapshotStatuses,
  SnapshotTypeText,
  serverlessInstancePath,
} from "../shapes.ts";

/** A snapshot of a serverless instance as the API shows it. */
export const ServerlessBackupSnapshot = Type.Object(
  {
    createdAt: Type.Optional(
      Type.Unsafe<string>({ ...DateTimeText, description: "When the data was captured; absent until it is." }),
    ),
    expiresAt: Type.Unsafe<string>({ ...DateTimeText, description: "When the snapshot is deleted." }),
    frequencyType: Type.String({
      description: "`hourly` or `daily` for scheduled snapshots, `ondemand` for those asked for.",
      examples: ["hourly"],
    }),
    id: ObjectIdText,
    links: Type.Array(Link),
    mongodVersion: Type.Optional(
      Type.String({ description: "Version the source announced; absent until it was read.", examples: ["7.0.0"] }),
    ),
    serverlessInstanceName: Type.String(),
    snapshotType: SnapshotTypeText,
    status: Type.Union([...snapshotStatuses], {
      description: "`completed` only after everything was read back from the store.",
    }),
    storageSizeBytes: Type.Integer({
      description:
        "Stored bytes (compressed) that restoring this snapshot reads; what it shares with others counts in each.",
    }),
  },
  { $id: "ServerlessBackupSnapshot" },
);

/** The record as the API shows it. */
export function presentServerlessBackupSnapshot(
  snapshot: SnapshotRecord,
  projectId: string,
  instanceName: string,
  href: Href,
): Static<typeof ServerlessBackupSnapshot> {
  const instance = serverlessInstancePath(projectId, instanceName);
  return {
    ...(snapshot.createdAtMs === undefined ? {} : { createdAt: presentTime(snapshot.createdAtMs) }),
    expiresAt: presentTime(snapshot.expiresAtMs),
    frequencyType: snapshot.frequencyType,
    id: snapshot.id,
    links: [{ href: href(`${instance}/backup/snapshots/${snapshot.id}`), rel: "self" }],
    ...(snapshot.serverVersion === undefined ? {} : { mongodVersion: snapshot.serverVersion }),
    serverlessInstanceName: instanceName,
    snapshotType: snapshot.snapshotType,
    status: snapshot.status,
    storageSizeBytes: snapshot.storageSizeBytes,
  };
}
