import { type Static, Type } from "typebox";
import type { DatabaseUserRecord } from "../../ports/metadata/database-user-records.ts";
import { DateTimeText, type Href, Link, ObjectIdText, presentTime } from "../shapes.ts";

export const DatabaseUserRole = Type.Object(
  {
    collectionName: Type.Optional(
      Type.String({ maxLength: 255, description: "Narrows `read` or `readWrite` to one collection." }),
    ),
    databaseName: Type.String({ minLength: 1, maxLength: 64 }),
    roleName: Type.String({ minLength: 1, maxLength: 64, examples: ["readWrite"] }),
  },
  { additionalProperties: false },
);

export const UserScope = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: 64 }),
    type: Type.Union([Type.Literal("CLUSTER"), Type.Literal("DATA_LAKE"), Type.Literal("STREAM")]),
  },
  { additionalProperties: false },
);

export const ComponentLabel = Type.Object(
  { key: Type.String({ minLength: 1, maxLength: 255 }), value: Type.String({ minLength: 1, maxLength: 255 }) },
  { additionalProperties: false },
);

/** A database user as the API shows it; the password is never shown. */
export const CloudDatabaseUser = Type.Object(
  {
    awsIAMType: Type.Literal("NONE"),
    databaseName: Type.String(),
    deleteAfterDate: Type.Optional(DateTimeText),
    description: Type.Optional(Type.String()),
    groupId: ObjectIdText,
    labels: Type.Array(ComponentLabel),
    ldapAuthType: Type.Literal("NONE"),
    links: Type.Array(Link),
    oidcAuthType: Type.Literal("NONE"),
    roles: Type.Array(DatabaseUserRole),
    scopes: Type.Array(UserScope),
    username: Type.String(),
    x509Type: Type.Literal("NONE"),
  },
  { $id: "CloudDatabaseUser" },
);

/** What can be set on a user; used whole by create, in part by update. */
export const databaseUserSettings = {
  awsIAMType: Type.Optional(Type.String({ maxLength: 20, description: "Only NONE is served." })),
  deleteAfterDate: Type.Optional(
    Type.String({ maxLength: 40, description: "ISO 8601, in the future and within a week." }),
  ),
  description: Type.Optional(Type.String({ maxLength: 100 })),
  groupId: Type.Optional(ObjectIdText),
  labels: Type.Optional(Type.Array(ComponentLabel, { maxItems: 50 })),
  ldapAuthType: Type.Optional(Type.String({ maxLength: 20, description: "Only NONE is served." })),
  links: Type.Optional(Type.Array(Type.Unknown())),
  oidcAuthType: Type.Optional(Type.String({ maxLength: 20, description: "Only NONE is served." })),
  password: Type.Optional(Type.String({ minLength: 8, maxLength: 1024, writeOnly: true })),
  roles: Type.Optional(Type.Array(DatabaseUserRole, { maxItems: 100 })),
  scopes: Type.Optional(Type.Array(UserScope, { maxItems: 100 })),
  x509Type: Type.Optional(Type.String({ maxLength: 20, description: "Only NONE is served." })),
} as const;

/** The record as the API shows it. */
export function presentDatabaseUser(user: DatabaseUserRecord, href: Href): Static<typeof CloudDatabaseUser> {
  const self = `/api/atlas/v2/groups/${user.projectId}/databaseUsers/${encodeURIComponent(user.databaseName)}/${encodeURIComponent(user.username)}`;
  return {
    awsIAMType: "NONE",
    databaseName: user.databaseName,
    ...(user.deleteAfterMs === undefined ? {} : { deleteAfterDate: presentTime(user.deleteAfterMs) }),
    ...(user.description === undefined ? {} : { description: user.description }),
    groupId: user.projectId,
    labels: user.labels.map(({ key, value }) => ({ key, value })),
    ldapAuthType: "NONE",
    links: [{ href: href(self), rel: "self" }],
    oidcAuthType: "NONE",
    roles: user.roles.map(({ collectionName, databaseName, roleName }) => ({
      ...(collectionName === undefined ? {} : { collectionName }),
      databaseName,
      roleName,
    })),
    scopes: user.scopes.map(({ name, type }) => ({ name, type })),
    username: user.username,
    x509Type: "NONE",
  };
}
