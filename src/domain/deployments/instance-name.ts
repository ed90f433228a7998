import {
  clusterNameInvalid,
  clusterNamePrefixInvalid,
  clusterNameTooLong,
  duplicateClusterName,
  duplicateClusterNamePrefix,
  reservedClusterName,
} from "./errors.ts";

export const maximumNameLength = 64;

/** Host names are made of so many characters of the name, in lower case (Atlas, cluster names). */
export const namePrefixLength = 23;

/** ASCII letters, digits and hyphens, beginning and ending without a hyphen, 1 to 64. Throws the error that says what is wrong. */
export function checkInstanceName(name: string): void {
  if (name.length > maximumNameLength) throw clusterNameTooLong(name, maximumNameLength);
  if (!/^[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?$/.test(name)) throw clusterNameInvalid(name);
  if (/^atlas-[a-z0-9]{6}$/i.test(name)) throw reservedClusterName(name);
  const prefix = name.slice(0, namePrefixLength);
  if (prefix.endsWith("-")) throw clusterNamePrefixInvalid(name, namePrefixLength, prefix);
}

/** Throws when another instance of the project has the name, or a name that would make the same host name. */
export function checkNameIsFree(name: string, takenNames: readonly string[], projectId: string): void {
  if (takenNames.includes(name)) throw duplicateClusterName(name, projectId);
  const prefix = hostPrefix(name);
  if (takenNames.some((taken) => hostPrefix(taken) === prefix)) {
    throw duplicateClusterNamePrefix(name, namePrefixLength);
  }
}

function hostPrefix(name: string): string {
  return name.slice(0, namePrefixLength).toLowerCase();
}
