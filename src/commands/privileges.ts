import { bsonType, EngineError, isNumberType, textOf, toNumber, type Value } from "../engine/index.ts";
import type { DatabaseRole, DatabaseUserCredential } from "../ports/database-user-directory.ts";
import type { Action } from "./define-command.ts";

/** Name of the role that the process's own user has: everything. */
export const systemRoleName = "__telamon_system";

const reading: readonly Action[] = ["find", "statistics"];
const writing: readonly Action[] = [...reading, "write", "collectionAdmin"];
const administering: readonly Action[] = ["statistics", "collectionAdmin", "databaseAdmin"];
const everything: readonly Action[] = [...writing, "databaseAdmin", "monitor", "killOperation", "flush", "viewUser"];

/** Where a role holds: on its own database, on all but the server's own `local` and `config`, or on all. */
type Reach = "own" | "users" | "all";

/** What built-in roles allow (manual, "Built-In Roles"; Atlas names). */
const roles: ReadonlyMap<string, { readonly actions: readonly Action[]; readonly reach: Reach }> = new Map([
  ["read", { actions: reading, reach: "own" }],
  ["readWrite", { actions: writing, reach: "own" }],
  ["dbAdmin", { actions: administering, reach: "own" }],
  ["readAnyDatabase", { actions: reading, reach: "users" }],
  ["readWriteAnyDatabase", { actions: writing, reach: "users" }],
  ["dbAdminAnyDatabase", { actions: administering, reach: "users" }],
  ["clusterMonitor", { actions: ["monitor", "statistics"], reach: "all" }],
  ["backup", { actions: [...reading, "monitor"], reach: "all" }],
  ["restore", { actions: ["write", "collectionAdmin", "databaseAdmin", "statistics"], reach: "all" }],
  ["atlasAdmin", { actions: everything, reach: "all" }],
  [systemRoleName, { actions: everything, reach: "all" }],
]);

/** Roles that see the name of every database (privilege `listDatabases`). */
const listing: ReadonlySet<string> = new Set([
  "readAnyDatabase",
  "readWriteAnyDatabase",
  "dbAdminAnyDatabase",
  "clusterMonitor",
  "backup",
  "atlasAdmin",
  systemRoleName,
]);

/** Names of the roles, without the process's own. */
export function builtInRoles(): readonly string[] {
  return [...roles.keys()].filter((name) => name !== systemRoleName);
}

/** The manual's names of what an action covers. */
export const privilegeActions: Readonly<Record<Exclude<Action, "open" | "any">, readonly string[]>> = {
  find: ["find"],
  write: ["insert", "remove", "update"],
  collectionAdmin: ["createCollection", "createIndex", "dropCollection", "dropIndex"],
  databaseAdmin: ["dropDatabase"],
  statistics: ["collStats", "dbStats", "listCollections", "listIndexes"],
  monitor: [
    "getCmdLineOpts",
    "getDefaultRWConcern",
    "getLog",
    "getParameter",
    "hostInfo",
    "inprog",
    "replSetGetConfig",
    "replSetGetStatus",
    "serverStatus",
    "top",
  ],
  killOperation: ["killop"],
  flush: ["fsync"],
  viewUser: ["viewRole", "viewUser"],
};

/** Whether a user may do something on a database, or on one collection of it. */
export function isAllowed(
  user: DatabaseUserCredential,
  action: Action,
  database: string,
  collection: string | undefined,
): boolean {
  return user.roles.some((role) => roleAllows(role, action, database, collection));
}

/** Whether a user may do anything on a database or in it, for lists of what there is. */
export function seesDatabase(user: DatabaseUserCredential, database: string): boolean {
  return user.roles.some((role) => {
    const known = roles.get(role.roleName);
    return known !== undefined && reaches(known.reach, role, database);
  });
}

/** Whether a user may see the names of all databases. */
export function seesAllDatabases(user: DatabaseUserCredential): boolean {
  return user.roles.some(({ roleName }) => listing.has(roleName));
}

/** What a role allows and where; undefined for a role that allows nothing here. */
export function grantsOf(
  role: DatabaseRole,
): { readonly actions: readonly Action[]; readonly database: string; readonly collection: string } | undefined {
  const known = roles.get(role.roleName);
  if (known === undefined) return undefined;
  return {
    actions: known.actions,
    database: known.reach === "own" ? role.databaseName : "",
    collection: role.collectionName ?? "",
  };
}

function roleAllows(role: DatabaseRole, action: Action, database: string, collection: string | undefined): boolean {
  const known = roles.get(role.roleName);
  // Whoever watches a cluster reads the server's own databases, and so the operation log, but no user's data (manual, "clusterMonitor").
  if (role.roleName === "clusterMonitor" && action === "find") return database === "local" || database === "config";
  if (known === undefined || !known.actions.includes(action) || !reaches(known.reach, role, database)) return false;
  return role.collectionName === undefined || (collection !== undefined && role.collectionName === collection);
}

function reaches(reach: Reach, role: DatabaseRole, database: string): boolean {
  if (reach === "all") return true;
  return reach === "own" ? role.databaseName === database : database !== "local" && database !== "config";
}

/** 13 with MongoDB's words; of the command only its own field, since the others are the user's data. */
export function unauthorized(command: string, main: Value, database: string): EngineError {
  const shown =
    main.type === bsonType.string
      ? JSON.stringify(textOf(main))
      : isNumberType(main.type)
        ? String(toNumber(main))
        : "...";
  return new EngineError(
    13,
    "Unauthorized",
    `not authorized on ${database} to execute command { ${command}: ${shown}, $db: "${database}" }`,
  );
}

/** Throws 13 unless the user may do it there; `collection` undefined: on the whole database. */
export function requireAllowed(
  user: DatabaseUserCredential | undefined,
  action: Action,
  where: { readonly database: string; readonly collection: string | undefined },
  refused: { readonly command: string; readonly main: Value; readonly database: string },
): void {
  if (user === undefined || !isAllowed(user, action, where.database, where.collection))
    throw unauthorized(refused.command, refused.main, refused.database);
}
