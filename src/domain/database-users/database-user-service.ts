import type { Clock } from "../../ports/clock.ts";
import type { DatabaseRole } from "../../ports/database-user-directory.ts";
import type { DatabaseUserRecord, DatabaseUserScope } from "../../ports/metadata/database-user-records.ts";
import type { Metadata, MetadataRecords } from "../../ports/metadata/metadata.ts";
import type { Ids } from "../../ports/ids.ts";
import type { Page, PageRequest } from "../../shared/page.ts";
import { missingAttribute } from "../attributes/errors.ts";
import { groupNotFound } from "../access/errors.ts";
import { isExpired } from "./database-user-directory.ts";
import {
  databaseNameCannotBeChanged,
  groupUsersLimitExceeded,
  userAlreadyExists,
  usernameCannotBeChanged,
  usernameNotFound,
} from "./errors.ts";
import { checkRoles } from "./role-rules.ts";
import { scramCredential } from "./scram-credential.ts";
import {
  checkAuthentication,
  checkAuthenticationDatabase,
  checkDescription,
  checkLabels,
  checkPassword,
  checkScopes,
  checkUsername,
  parseDeleteAfterDate,
} from "./user-rules.ts";

/** How the user proves who it is; anything but `NONE` or nothing asks for a kind that is not served. */
export interface AuthenticationKinds {
  readonly awsIAMType?: string | undefined;
  readonly ldapAuthType?: string | undefined;
  readonly oidcAuthType?: string | undefined;
  readonly x509Type?: string | undefined;
}

export interface DatabaseUserSettings extends AuthenticationKinds {
  /** Never stored; what is stored can only check it. */
  readonly password?: string | undefined;
  readonly roles?: readonly DatabaseRole[] | undefined;
  readonly scopes?: readonly DatabaseUserScope[] | undefined;
  readonly labels?: readonly { readonly key: string; readonly value: string }[] | undefined;
  readonly description?: string | undefined;
  /** ISO 8601, in the future and within a week. */
  readonly deleteAfterDate?: string | undefined;
}

export interface CreateDatabaseUser extends DatabaseUserSettings {
  readonly username: string;
  /** Authentication database; `admin` is the only one served. */
  readonly databaseName: string;
}

/** What is left out stays; `username` and `databaseName` may only repeat what they are. */
export interface DatabaseUserChanges extends DatabaseUserSettings {
  readonly username?: string | undefined;
  readonly databaseName?: string | undefined;
}

export interface DatabaseUserService {
  /** By authentication database, then name. */
  list(projectId: string, page: PageRequest): Promise<Page<DatabaseUserRecord>>;
  /** Throws `USERNAME_NOT_FOUND`; an expired user is gone. */
  get(projectId: string, databaseName: string, username: string): Promise<DatabaseUserRecord>;
  /** Throws `USER_ALREADY_EXISTS` and the errors of a bad name, password, role, scope, label or date. */
  create(projectId: string, request: CreateDatabaseUser): Promise<DatabaseUserRecord>;
  update(
    projectId: string,
    databaseName: string,
    username: string,
    changes: DatabaseUserChanges,
  ): Promise<DatabaseUserRecord>;
  /** Throws `USERNAME_NOT_FOUND`. */
  delete(projectId: string, databaseName: string, username: string): Promise<void>;
}

export interface DatabaseUserServiceDependencies {
  readonly metadata: Metadata;
  readonly clock: Clock;
  readonly ids: Ids;
}

/** Database users a project can have (Atlas, default limit). */
export const maximumUsersPerProject = 100;

export function createDatabaseUserService(dependencies: DatabaseUserServiceDependencies): DatabaseUserService {
  const { metadata, clock, ids } = dependencies;

  const requireUser = async (
    records: Pick<MetadataRecords, "databaseUsers">,
    projectId: string,
    databaseName: string,
    username: string,
  ): Promise<DatabaseUserRecord> => {
    const user = await records.databaseUsers.find(projectId, databaseName, username);
    if (user === undefined || isExpired(user, clock.nowMs())) throw usernameNotFound(username);
    return user;
  };

  return {
    list: async (projectId, page) => {
      await metadata.databaseUsers.deleteExpired(clock.nowMs());
      return metadata.databaseUsers.page(projectId, page);
    },
    get: (projectId, databaseName, username) => requireUser(metadata, projectId, databaseName, username),
    create: async (projectId, request) => {
      const { username, databaseName, password, roles } = request;
      const nowMs = clock.nowMs();
      checkAuthentication(request);
      checkAuthenticationDatabase(databaseName);
      checkUsername(username);
      if (password === undefined) throw missingAttribute("password");
      if (roles === undefined) throw missingAttribute("roles");
      const settings = checkedSettings(request, nowMs);
      // Derived before the transaction, which must do nothing but metadata; and only when there is a chance that it is needed.
      const existing = await metadata.databaseUsers.find(projectId, databaseName, username);
      if (existing !== undefined && !isExpired(existing, nowMs)) throw userAlreadyExists(username);
      const user: DatabaseUserRecord = {
        projectId,
        databaseName,
        username,
        credential: await scramCredential(password, ids),
        roles,
        scopes: [],
        labels: [],
        description: undefined,
        deleteAfterMs: undefined,
        createdAtMs: nowMs,
        ...settings,
      };
      await metadata.transaction(async (records) => {
        if ((await records.projects.find(projectId)) === undefined) throw groupNotFound(projectId);
        await records.databaseUsers.deleteExpired(nowMs);
        const taken = await records.databaseUsers.find(projectId, databaseName, username);
        if (taken !== undefined) throw userAlreadyExists(username);
        if ((await records.databaseUsers.count(projectId)) >= maximumUsersPerProject) {
          throw groupUsersLimitExceeded(maximumUsersPerProject);
        }
        await records.databaseUsers.insert(user);
      });
      return user;
    },
    update: async (projectId, databaseName, username, changes) => {
      checkAuthentication(changes);
      if (changes.username !== undefined && changes.username !== username) throw usernameCannotBeChanged();
      if (changes.databaseName !== undefined && changes.databaseName !== databaseName) {
        throw databaseNameCannotBeChanged();
      }
      await requireUser(metadata, projectId, databaseName, username);
      const settings = checkedSettings(changes, clock.nowMs());
      const credential = changes.password === undefined ? undefined : await scramCredential(changes.password, ids);
      return metadata.transaction(async (records) => {
        const before = await requireUser(records, projectId, databaseName, username);
        const user = { ...before, ...settings, ...(credential !== undefined && { credential }) };
        await records.databaseUsers.update(user);
        return user;
      });
    },
    delete: async (projectId, databaseName, username) => {
      await metadata.transaction(async (records) => {
        await requireUser(records, projectId, databaseName, username);
        await records.databaseUsers.delete(projectId, databaseName, username);
      });
    },
  };
}

type CheckedSettings = Partial<
  Pick<DatabaseUserRecord, "roles" | "scopes" | "labels" | "description" | "deleteAfterMs">
>;

/** The settings that were given, each by its rule; the password is checked too but never part of a record. */
function checkedSettings(settings: DatabaseUserSettings, nowMs: number): CheckedSettings {
  const { password, roles, scopes, labels, description, deleteAfterDate } = settings;
  if (password !== undefined) checkPassword(password);
  if (roles !== undefined) checkRoles(roles);
  if (scopes !== undefined) checkScopes(scopes);
  if (labels !== undefined) checkLabels(labels);
  if (description !== undefined) checkDescription(description);
  return {
    ...(roles !== undefined && { roles }),
    ...(scopes !== undefined && { scopes }),
    ...(labels !== undefined && { labels }),
    ...(description !== undefined && { description }),
    ...(deleteAfterDate !== undefined && { deleteAfterMs: parseDeleteAfterDate(deleteAfterDate, nowMs) }),
  };
}
