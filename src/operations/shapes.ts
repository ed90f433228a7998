import { Type } from "typebox";

/** 24 lower-case hex digits. */
export const ObjectIdText = Type.String({ pattern: "^[a-f0-9]{24}$", examples: ["32b6e34b3d91647abb20e7b8"] });

/** `YYYY-MM-DDTHH:MM:SSZ`, whole seconds, UTC: the only form of a time in answers. */
export const DateTimeText = Type.String({ format: "date-time", examples: ["2026-11-24T06:00:00Z"] });

/** How a snapshot came to be asked for. */
export const SnapshotTypeText = Type.Union([Type.Literal("onDemand"), Type.Literal("scheduled")]);

/** How far a snapshot is. */
export const snapshotStatuses = [
  Type.Literal("queued"),
  Type.Literal("inProgress"),
  Type.Literal("completed"),
  Type.Literal("failed"),
] as const;

/** How a snapshot was or would be read. */
export const Consistency = Type.Union(
  [Type.Literal("exact"), Type.Literal("log_catch_up"), Type.Literal("best_effort")],
  {
    description:
      "`exact`: everything at one time; `log_catch_up`: copied, then brought to one time by the operation log; `best_effort`: each collection as it was while it was read.",
  },
);

/** A link to a resource; `rel` is `self` or an Atlas relation URL. */
export const Link = Type.Object({ href: Type.String(), rel: Type.String() });

/** Key and value by which people group what they own. */
export const ResourceTag = Type.Object(
  {
    key: Type.String({ minLength: 1, maxLength: 255 }),
    value: Type.String({ minLength: 1, maxLength: 255 }),
  },
  { additionalProperties: false },
);

/** At most 50 tags, as Atlas allows. */
export const ResourceTags = Type.Array(ResourceTag, { maxItems: 50 });

/** Absolute URL of a path below the public base. */
export type Href = (path: string) => string;

/** Milliseconds since the epoch as `YYYY-MM-DDTHH:MM:SSZ`. */
export function presentTime(timeMs: number): string {
  // "2026-11-24T06:00:00.000Z" without its fraction: cheaper than any formatter and exact.
  return `${new Date(timeMs).toISOString().slice(0, 19)}Z`;
}

/** Relations of links carry the vendor's host whatever the server's own base is; clients compare them literally. */
export function relation(name: string): string {
  return `https://cloud.mongodb.com/${name}`;
}

/** Where Telamon's own operations about deployments that run elsewhere are. */
export const externalDeploymentsRoute = "/api/telamon/v1/groups/{groupId}/externalDeployments";

/** Path of an external deployment in the API. */
export function externalDeploymentPath(projectId: string, name: string): string {
  return `/api/telamon/v1/groups/${projectId}/externalDeployments/${encodeURIComponent(name)}`;
}

/** Where Telamon's own operations about deployments of every kind are. */
export const deploymentRoute = "/api/telamon/v1/groups/{groupId}/deployments/{deploymentName}";

/** Path of a deployment of any kind, for Telamon's own operations. */
export function deploymentPath(projectId: string, name: string): string {
  return `/api/telamon/v1/groups/${projectId}/deployments/${encodeURIComponent(name)}`;
}

/** Path of a serverless instance in the API. */
export function serverlessInstancePath(projectId: string, name: string): string {
  return `/api/atlas/v2/groups/${projectId}/serverless/${encodeURIComponent(name)}`;
}
