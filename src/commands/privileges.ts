import { EngineError } from "../engine/index.ts";
import type { DatabaseRole, DatabaseUserCredential } from "../ports/database-user-directory.ts";
import type { Action } from "./define-command.ts";

/** Name of the role that the process's own user has: everything. */
export const systemRoleName = "__telamon_system";

const reading: readonly Action[] = ["find", "statistics"];
const writing: readonly Action[] = [...reading, "write", "collectionAdmin"];
const administering: readonly Action[] = ["statistics", "collectionAdmin", "databaseAdmin"];
const everything: readonly Action[] = [...writing, "databaseAdmin", "monitor"];

/** What built-in roles allow (manual, "Built-In Roles"; Atlas names), and whether on every database or on the role's own. */
const roles: Readonly<Record<string, { readonly actions: readonly Action[]; readonly anywhere: boolean }>> = {
  read: { actions: reading, anywhere: false },
  readWrite: { actions: writing, anywhere: false },
  dbAdmin: { actions: administering, anywhere: false },
  readAnyDatabase: { actions: reading, anywhere: true },
  readWriteAnyDatabase: { actions: writing, anywhere: true },
  dbAdminAnyDatabase: { actions: administering, anywhere: true },
  clusterMonitor: { actions: ["monitor", "statistics"], anywhere: true },
  backup: { actions: [...reading, "monitor"], anywhere: true },
  restore: { actions: ["write", "collectionAdmin", "databaseAdmin", "statistics"], anywhere: true },
  atlasAdmin: { actions: everything, anywhere: true },
  [systemRoleName]: { actions: everything, anywhere: true },
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

/** Whether a user may read anything of a database, for lists of what there is. */
export function seesDatabase(user: DatabaseUserCredential, database: string): boolean {
  return user.roles.some((role) => {
    const known = roles[role.roleName];
    return known !== undefined && (known.anywhere || role.databaseName === database);
  });
}

function roleAllows(role: DatabaseRole, action: Action, database: string, collection: string | undefined): boolean {
  const known = roles[role.roleName];
  if (known === undefined || !known.actions.includes(action)) return false;
  if (!known.anywhere && role.databaseName !== database) return false;
  return role.collectionName === undefined || (collection !== undefined && role.collectionName === collection);
}

export function unauthorized(command: string, database: string): EngineError {
  return new EngineError(13, "Unauthorized", `not authorized on ${database} to execute command ${command}`);
}
