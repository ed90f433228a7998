import type { DatabaseRole } from "../../ports/database-user-directory.ts";
import type { DatabaseUserRecord, DatabaseUserScope } from "../../ports/metadata/database-user-records.ts";
import type { Page, PageRequest } from "../../shared/page.ts";

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
