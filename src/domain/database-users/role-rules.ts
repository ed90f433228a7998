import type { DatabaseRole } from "../../ports/database-user-directory.ts";
import { invalidAttribute, missingAttribute, validationError } from "../attributes/errors.ts";
import { invalidRole } from "./errors.ts";

/** Roles over the whole deployment, given on the database `admin` (Atlas, built-in roles). */
const deploymentRoles: ReadonlySet<string> = new Set([
  "atlasAdmin",
  "readWriteAnyDatabase",
  "readAnyDatabase",
  "clusterMonitor",
  "backup",
  "dbAdminAnyDatabase",
  "enableSharding",
]);

/** Roles over one database, or over one collection of it. */
const databaseRoles: ReadonlySet<string> = new Set(["read", "readWrite", "dbAdmin"]);

const maximumRoleCount = 100;

/** Throws `MISSING_ATTRIBUTE` for none at all, `ATLAS_INVALID_ROLE`, or `INVALID_ATTRIBUTE` for a bad database or collection name. */
export function checkRoles(roles: readonly DatabaseRole[]): void {
  if (roles.length === 0) throw missingAttribute("roles");
  if (roles.length > maximumRoleCount) throw validationError(`at most ${maximumRoleCount} roles are allowed`);
  for (const role of roles) checkRole(role);
}

function checkRole({ roleName, databaseName, collectionName }: DatabaseRole): void {
  const onDeployment = deploymentRoles.has(roleName) && databaseName === "admin";
  if (!onDeployment && !databaseRoles.has(roleName)) throw invalidRole(roleName, databaseName);
  if (!isDatabaseName(databaseName)) throw invalidAttribute("databaseName");
  if (collectionName === undefined) return;
  if (onDeployment || !isCollectionName(collectionName)) throw invalidAttribute("collectionName");
}

/** MongoDB, naming restrictions: 1 to 63 bytes without these signs. */
function isDatabaseName(name: string): boolean {
  return name.length > 0 && Buffer.byteLength(name) <= 63 && !/[/\\. "$*<>:|?\0]/.test(name);
}

function isCollectionName(name: string): boolean {
  return name.length > 0 && Buffer.byteLength(name) <= 255 && !/[$\0]/.test(name);
}
