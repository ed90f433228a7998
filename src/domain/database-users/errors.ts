import { AppError } from "../../shared/app-error.ts";

export function usernameNotFound(username: string): AppError {
  return new AppError("not_found", "USERNAME_NOT_FOUND", `No user with username ${username} exists.`, {
    parameters: [username],
  });
}

export function userAlreadyExists(username: string): AppError {
  return new AppError("conflict", "USER_ALREADY_EXISTS", `A user with username ${username} already exists.`, {
    parameters: [username],
  });
}

export function invalidUsername(username: string): AppError {
  return new AppError(
    "invalid",
    "ATLAS_INVALID_USERNAME",
    `The specified username ${username} is not valid for an Atlas database user.`,
    { parameters: [username] },
  );
}

export function invalidRole(roleName: string, databaseName: string): AppError {
  return new AppError(
    "invalid",
    "ATLAS_INVALID_ROLE",
    `The specified role ${roleName}@${databaseName} does not exist.`,
    { parameters: [roleName, databaseName] },
  );
}

export function weakPassword(): AppError {
  return new AppError("invalid", "WEAK_PASSWORD", "The specified password is not strong enough.");
}

/** `kind` in the plural, such as `Users with a password`. */
export function onlyOnAdminDatabase(kind: string): AppError {
  return new AppError(
    "invalid",
    "DATABASE_NAME_INVALID_ADMIN",
    `Database name invalid. ${kind} can only be created on the admin database.`,
    { parameters: [kind] },
  );
}

export function usernameCannotBeChanged(): AppError {
  return new AppError(
    "conflict",
    "DATABASE_USERNAME_CANNOT_BE_CHANGED",
    "Cannot modify the username of an existing database user.",
  );
}

export function databaseNameCannotBeChanged(): AppError {
  return new AppError(
    "conflict",
    "DATABASE_NAME_CANNOT_BE_CHANGED",
    "Cannot modify the authentication database of an existing database user.",
  );
}

export function groupUsersLimitExceeded(maximum: number): AppError {
  return new AppError(
    "forbidden",
    "GROUP_USERS_LIMIT_EXCEEDED",
    `Groups can contain at most ${maximum} database users.`,
    { parameters: [maximum] },
  );
}

export function expirationDateInPast(): AppError {
  return new AppError("invalid", "EXPIRATION_DATE_IN_PAST", "The specified expiration date must be in the future.");
}

/** A way to log in that the API knows and this product does not have; the text is our own. */
export function authenticationKindNotSupported(kind: string): AppError {
  return new AppError(
    "not_implemented",
    "FEATURE_UNSUPPORTED",
    `Database users that authenticate by ${kind} are not supported; use a password (SCRAM-SHA-256).`,
    { parameters: [kind] },
  );
}
