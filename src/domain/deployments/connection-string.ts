import { isIP } from "node:net";
import { connectionStringInvalid } from "./external-errors.ts";

/** A connection string that was understood part by part. Secret but for `hosts`: never logged, never shown. */
export interface ConnectionString {
  /** Written anew from the parts that were understood, so that nobody who reads it later can read it otherwise. */
  readonly text: string;
  /** `host:port` each, or the one name whose DNS record has the hosts; may be shown. */
  readonly hosts: readonly string[];
  /** The same without ports. */
  readonly hostNames: readonly string[];
}

const lengthMax = 4096;
const hostsMax = 50;

/** Options that are taken, with what their values must look like. Names as the world writes them. */
const options: ReadonlyMap<string, { readonly name: string; readonly value: RegExp }> = new Map(
  (
    [
      ["appName", /^.{1,128}$/s],
      ["authMechanism", /^(SCRAM-SHA-1|SCRAM-SHA-256|PLAIN)$/],
      ["authSource", /^[^$].{0,62}$|^\$external$/s],
      ["compressors", /^(zlib|none)$/],
      ["connectTimeoutMS", /^\d{1,6}$/],
      ["directConnection", /^(true|false)$/],
      ["heartbeatFrequencyMS", /^\d{1,6}$/],
      ["loadBalanced", /^(true|false)$/],
      ["localThresholdMS", /^\d{1,6}$/],
      ["maxIdleTimeMS", /^\d{1,7}$/],
      ["maxPoolSize", /^\d{1,4}$/],
      ["maxStalenessSeconds", /^(-1|\d{1,6})$/],
      ["minPoolSize", /^\d{1,4}$/],
      ["readPreference", /^(primary|primaryPreferred|secondary|secondaryPreferred|nearest)$/],
      ["readPreferenceTags", /^.{0,256}$/s],
      ["replicaSet", /^.{1,128}$/s],
      ["retryReads", /^(true|false)$/],
      ["retryWrites", /^(true|false)$/],
      ["serverSelectionTimeoutMS", /^\d{1,6}$/],
      ["socketTimeoutMS", /^\d{1,8}$/],
      ["srvMaxHosts", /^\d{1,3}$/],
      ["srvServiceName", /^[a-z0-9-]{1,15}$/i],
      ["ssl", /^(true|false)$/],
      ["tls", /^(true|false)$/],
      ["w", /^majority$/],
    ] as const
  ).map(([name, value]) => [name.toLowerCase(), { name, value }]),
);

/** Options that have a reason of their own not to be taken. */
const refusals: ReadonlyMap<string, string> = new Map(
  (
    [
      ["tlsCAFile", "reads a file of the server; have the server trust the authority by NODE_EXTRA_CA_CERTS"],
      ["tlsCertificateKeyFile", "reads a file of the server, which is not supported"],
      ["tlsCertificateKeyFilePassword", "belongs to a file of the server, which is not supported"],
      ["tlsCRLFile", "reads a file of the server, which is not supported"],
      ["tlsInsecure", "would let anybody stand between"],
      ["tlsAllowInvalidCertificates", "would let anybody stand between"],
      ["tlsAllowInvalidHostnames", "would let anybody stand between"],
      ["readConcernLevel", "cannot be chosen: snapshots have their own"],
      ["proxyHost", "leads past the hosts that may be reached, and is not supported"],
    ] as const
  ).map(([name, why]) => [name.toLowerCase(), `${name} ${why}`]),
);

/**
 * Understands a `mongodb://` or `mongodb+srv://` string (connection string specification of the drivers). Throws `CONNECTION_STRING_INVALID`, whose text never shows more
 * of it than the name of an option. Refused are options that read files of the server, weaken TLS, use the identity of the machine, or are not known.
 */
export function parseConnectionString(given: string): ConnectionString {
  const match = /^(mongodb(?:\+srv)?):\/\/(?:([^@/?]*)@)?([^@/?]+)(?:\/([^?]*))?(?:\?(.*))?$/s.exec(given.trim());
  if (match === null || given.length > lengthMax)
    throw connectionStringInvalid(
      "it must look like mongodb://user:password@host:port/?options, characters of user and password percent-encoded",
    );
  const [, scheme = "", user, hostList = "", database = "", query = ""] = match;
  const isSrv = scheme.endsWith("srv");
  const hosts = hostList.split(",").map((host) => parseHost(host, isSrv));
  if (isSrv && hosts.length !== 1) throw connectionStringInvalid("mongodb+srv:// takes one host name");
  if (hosts.length > hostsMax) throw connectionStringInvalid(`it has more than ${hostsMax} hosts`);
  const known = parseOptions(query);
  const login = user === undefined ? "" : `${parseUser(user)}@`;
  checkTogether(known, isSrv, login !== "");
  const shown = hosts.map(({ shown: text }) => text);
  const tail = known.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join("&");
  return {
    text: `${scheme}://${login}${shown.join(",")}/${encodeURIComponent(decoded(database))}${tail === "" ? "" : `?${tail}`}`,
    hosts: shown,
    hostNames: hosts.map(({ name }) => name),
  };
}

function parseHost(text: string, isSrv: boolean): { readonly shown: string; readonly name: string } {
  const [, bracketed, plain, port] = /^(?:\[([0-9a-fA-F:.]+)\]|([a-zA-Z0-9_.-]+))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const name = bracketed ?? plain;
  const isRight =
    name !== undefined &&
    (bracketed === undefined || isIP(bracketed) === 6) &&
    (port === undefined || (Number(port) >= 1 && Number(port) <= 65_535));
  if (!isRight || name.length > 255)
    throw connectionStringInvalid(
      "a host is not a name or an address with a port from 1 to 65535 (sockets of the file system are not supported)",
    );
  if (isSrv) {
    if (port !== undefined || isIP(name) > 0)
      throw connectionStringInvalid("mongodb+srv:// takes a host name without a port");
    return { shown: name, name };
  }
  return { shown: `${bracketed === undefined ? name : `[${name}]`}:${port ?? 27_017}`, name };
}

function parseUser(text: string): string {
  const [name = "", password, ...rest] = text.split(":");
  if (name === "" || rest.length > 0) throw connectionStringInvalid("user and password must be percent-encoded");
  const written = encodeURIComponent(decoded(name));
  return password === undefined ? written : `${written}:${encodeURIComponent(decoded(password))}`;
}

function parseOptions(query: string): readonly (readonly [string, string])[] {
  const found: (readonly [string, string])[] = [];
  for (const part of query.split("&")) {
    if (part === "") continue;
    const [rawName = "", ...rest] = part.split("=");
    const key = decoded(rawName).toLowerCase();
    const refusal = refusals.get(key);
    if (refusal !== undefined) throw connectionStringInvalid(`its option ${refusal}`);
    const option = options.get(key);
    // A name that is not known is not shown: it may be part of a password that was not encoded.
    if (option === undefined) throw connectionStringInvalid("it has an option that is not supported");
    const value = decoded(rest.join("="));
    if (!option.value.test(value))
      throw connectionStringInvalid(`its option ${option.name} has a value that is not supported`);
    if (option.name !== "readPreferenceTags" && found.some(([name]) => name === option.name))
      throw connectionStringInvalid(`its option ${option.name} is given twice`);
    found.push([option.name, value]);
  }
  return found;
}

function checkTogether(known: readonly (readonly [string, string])[], isSrv: boolean, hasLogin: boolean): void {
  const of = new Map(known);
  const [tls, ssl] = [of.get("tls"), of.get("ssl")];
  if (tls !== undefined && ssl !== undefined && tls !== ssl)
    throw connectionStringInvalid("its options tls and ssl differ");
  const speaksTls = (tls ?? ssl ?? String(isSrv)) === "true";
  if (of.get("authMechanism") === "PLAIN" && !speaksTls)
    throw connectionStringInvalid("its option authMechanism=PLAIN sends the password readable and needs tls=true");
  if (of.has("authMechanism") && !hasLogin) throw connectionStringInvalid("its option authMechanism needs a user");
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw connectionStringInvalid("a percent sign in it is not one of an encoded character");
  }
}
