import type { DatabaseUserRecord, DatabaseUserScope } from "../../ports/metadata/database-user-records.ts";
import { invalidAttribute, invalidDateFormat, invalidEnumValue, validationError } from "../attributes/errors.ts";
import {
  authenticationKindNotSupported,
  expirationDateInPast,
  invalidUsername,
  onlyOnAdminDatabase,
  weakPassword,
} from "./errors.ts";

export const minimumPasswordLength = 8;
export const maximumPasswordLength = 1024;
export const maximumUsernameLength = 1024;
export const maximumDescriptionLength = 100;
/** A temporary user ends within a week (Atlas, database users). */
export const longestLifeMs = 7 * 24 * 3_600_000;
const maximumListLength = 100;
const maximumLabelLength = 255;

/** The attributes of the API that say how a user logs in, and what to call each in an error. */
const otherKinds = {
  awsIAMType: "AWS IAM",
  ldapAuthType: "LDAP",
  oidcAuthType: "OIDC",
  x509Type: "X.509 certificate",
} as const;

export type OtherAuthentication = { readonly [Attribute in keyof typeof otherKinds]?: string | undefined };

/** Throws for every way to log in but a password: it must not look as if such a user existed. */
export function checkAuthentication(attributes: OtherAuthentication): void {
  for (const attribute of Object.keys(otherKinds) as (keyof typeof otherKinds)[]) {
    const value = attributes[attribute];
    if (value !== undefined && value !== "NONE") throw authenticationKindNotSupported(otherKinds[attribute]);
  }
}

/** Throws unless it is `admin`; `$external` belongs to the ways to log in that are not served. */
export function checkAuthenticationDatabase(databaseName: string): void {
  if (databaseName === "$external") throw authenticationKindNotSupported("an external service");
  if (databaseName !== "admin") throw onlyOnAdminDatabase("Users with a password");
}

/** 1 to 1024 characters, whole Unicode, nothing that controls. */
export function checkUsername(username: string): void {
  const fits = username.length >= 1 && username.length <= maximumUsernameLength;
  if (!fits || !username.isWellFormed() || /\p{Cc}/u.test(username)) throw invalidUsername(username);
}

export function checkPassword(password: string): void {
  if (password.length < minimumPasswordLength) throw weakPassword();
  if (password.length > maximumPasswordLength || !password.isWellFormed()) throw invalidAttribute("password");
}

export function checkDescription(description: string): void {
  if (description.length > maximumDescriptionLength) throw invalidAttribute("description");
}

export function checkLabels(labels: DatabaseUserRecord["labels"]): void {
  if (labels.length > maximumListLength) throw validationError(`at most ${maximumListLength} labels are allowed`);
  for (const text of labels.flatMap(({ key, value }) => [key, value])) {
    if (text.length < 1 || text.length > maximumLabelLength) throw invalidAttribute("labels");
  }
}

export function checkScopes(scopes: readonly DatabaseUserScope[]): void {
  if (scopes.length > maximumListLength) throw validationError(`at most ${maximumListLength} scopes are allowed`);
  for (const { name, type } of scopes) {
    if (type !== "CLUSTER" && type !== "DATA_LAKE" && type !== "STREAM") throw invalidEnumValue(String(type));
    if (!/^[a-zA-Z0-9][a-zA-Z0-9-]{0,63}$/.test(name)) throw invalidAttribute("scopes");
  }
}

/** Milliseconds since the epoch. Throws for what is no ISO 8601 date and time with a zone, for the past, and for more than a week ahead. */
export function parseDeleteAfterDate(date: string, nowMs: number): number {
  const isTimestamp = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:?\d{2})$/.test(date);
  const deleteAfterMs = isTimestamp ? Date.parse(date) : Number.NaN;
  if (Number.isNaN(deleteAfterMs)) throw invalidDateFormat(date);
  if (deleteAfterMs <= nowMs) throw expirationDateInPast();
  if (deleteAfterMs > nowMs + longestLifeMs) throw validationError("deleteAfterDate must lie within one week from now");
  return deleteAfterMs;
}
