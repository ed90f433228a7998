import { isIP } from "node:net";
import { resolve } from "node:path";
import { type HostRules, isHostRule } from "../shared/allowed-hosts.ts";
import { parseS3Location, type S3Location, type S3Values } from "./s3-location.ts";

/** Where metadata lives. */
export type MetadataLocation = { readonly kind: "sqlite"; readonly path: string };
/** Where snapshot objects live. */
export type BlobLocation = { readonly kind: "file"; readonly path: string } | S3Location;

/** Where the secret is that opens the snapshot store. */
export type UnlockLocation =
  | { readonly kind: "key file"; readonly path: string }
  | { readonly kind: "passphrase file"; readonly path: string }
  | { readonly kind: "key variable" | "passphrase variable"; readonly variable: string };

/** Everything an operator can set, checked and complete. */
export interface Configuration {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly dataDirectory: string;
  /** Base of every link, without a trailing slash; undefined: made from the address that is listened on. */
  readonly publicUrl: string | undefined;
  readonly enginePortRange: { readonly first: number; readonly last: number };
  /** Files of the certificate and key that the databases speak TLS with; undefined: they speak it not. */
  readonly engineTls: { readonly certificatePath: string; readonly keyPath: string } | undefined;
  readonly metadata: MetadataLocation;
  readonly blobs: BlobLocation;
  readonly unlock: UnlockLocation;
  /** Each so many snapshots of a deployment read everything and are compared with what the operation log tells. */
  readonly incrementCheckEvery: "never" | number;
  readonly logLevel: string;
  readonly rateLimits: "atlas" | "off";
  /** Hosts that external deployments may be on. */
  readonly externalHosts: HostRules;
  /** Whether the databases have the commands that are there for tests of clients alone. */
  readonly testCommands: boolean;
  readonly demo: boolean;
}

/** One setting: its flag, its environment twin, its default and what it means; `--help` and the reference are made from this. */
export interface Setting {
  readonly flag: string;
  readonly environmentVariable: string;
  readonly placeholder: string;
  readonly defaultValue: string | undefined;
  readonly description: string;
}

export const settings: readonly Setting[] = [
  setting(
    "host",
    "ADDRESS",
    "127.0.0.1",
    "Address to listen on, for the API and the databases. Anything but loopback opens both to the network.",
  ),
  setting("port", "NUMBER", "8080", "Port of the API; 0 takes any free one."),
  setting("data-dir", "FOLDER", "./data", "Folder for everything Telamon keeps; made with mode 0700 when missing."),
  setting(
    "public-url",
    "URL",
    undefined,
    "Base of the links in answers, when clients reach the API by another address than it listens on.",
  ),
  setting("engine-port-range", "FIRST-LAST", "27100-27999", "Ports for the databases of instances, one each."),
  setting(
    "engine-tls-certificate",
    "FILE",
    undefined,
    "Certificate chain (PEM) of the databases; with it clients must connect by TLS. Needs --engine-tls-key. Read at the start.",
  ),
  setting("engine-tls-key", "FILE", undefined, "Private key (PEM, without a passphrase) of the certificate."),
  setting(
    "metadata",
    "LOCATION",
    "sqlite:",
    "Metadata database: `sqlite:` (in the data folder) or `sqlite:PATH`. `postgres://` is not built yet.",
  ),
  setting(
    "blobs",
    "LOCATION",
    "file:",
    "Snapshot store: `file:` (in the data folder), `file:PATH`, or `s3://BUCKET` or `s3://BUCKET/PREFIX` on AWS or another S3-compatible server. Credentials of S3 come from where the AWS tools have them (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE, AWS_SHARED_CREDENTIALS_FILE, the machine's role), never from a flag.",
  ),
  setting("s3-endpoint", "URL", undefined, "Address of an S3-compatible server that is not AWS."),
  setting(
    "s3-region",
    "REGION",
    undefined,
    "Region of the bucket. Without it AWS_REGION or that of the profile; with --s3-endpoint us-east-1.",
  ),
  setting(
    "s3-addressing",
    "auto|path|virtual",
    "auto",
    "Where the bucket's name stands: in the path, or before the host's name. `auto` is `path` with --s3-endpoint and `virtual` on AWS.",
  ),
  setting(
    "s3-object-lock",
    "MODE:DAYS",
    "off",
    "`governance:DAYS` or `compliance:DAYS`: the server refuses for so many days to delete what was put, and locks anew what snapshots still need. The bucket must have been made with object lock.",
  ),
  setting(
    "unlock",
    "LOCATION",
    "file:",
    "What opens the snapshot store: `file:` (master.key in the data folder, made when missing) or `file:PATH`, a file of 32 bytes; `env:NAME`, a variable with 64 hexadecimal digits; `passphrase-file:PATH` or `passphrase-env:NAME`.",
  ),
  setting(
    "roles",
    "LIST",
    "api,worker,engine",
    "Parts this process runs. Splitting them over several processes is not built yet, so it must be all three.",
  ),
  setting(
    "increment-check",
    "never|always|N",
    "28",
    "How often a snapshot reads everything though the operation log tells what changed, and compares: `never`, `always`, or each N-th of a deployment docs/adr/0012-increments-from-the-log.md.",
  ),
  setting("log-level", "LEVEL", "info", "debug, info, warn, error or silent. Logs go to standard error as JSON lines."),
  setting("rate-limits", "atlas|off", "atlas", "Limits of requests per minute as Atlas has them, or none."),
  setting(
    "external-hosts",
    "any|none|LIST",
    "any",
    "Hosts that attached external deployments may be on: any (but link-local addresses), none (nothing can be attached), or names, `*.domain`, addresses and networks such as `10.0.0.0/8`, with commas between.",
  ),
  setting(
    "enable-test-commands",
    "on|off",
    "off",
    "Lets every user of a database order faults by `configureFailPoint`, for tests of clients. Never with data that matters.",
  ),
];

/** A flag or variable that cannot be used; the message names every problem found, not the first alone. */
export class ConfigurationError extends Error {
  constructor(problems: readonly string[]) {
    super(problems.join("\n"));
    this.name = "ConfigurationError";
  }
}

/**
 * Reads flags, then environment twins, then defaults. Flags are `--name value` or `--name=value`, and `--demo` alone.
 * Throws `ConfigurationError`.
 */
export function readConfiguration(
  flags: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Configuration {
  const problems: string[] = [];
  const given = parseFlags(flags, problems);
  const value = (flag: string): string => {
    const known = settings.find((candidate) => candidate.flag === flag);
    return given.get(flag) ?? environment[known?.environmentVariable ?? ""] ?? known?.defaultValue ?? "";
  };
  const dataDirectory = resolve(value("data-dir"));
  const configuration: Configuration = {
    host: parseHost(value("host"), problems),
    port: parsePort(value("port"), problems),
    dataDirectory,
    publicUrl: parsePublicUrl(value("public-url"), problems),
    enginePortRange: parsePortRange(value("engine-port-range"), problems),
    engineTls: parseEngineTls(value("engine-tls-certificate"), value("engine-tls-key"), problems),
    metadata: {
      kind: "sqlite",
      path: parseLocation(
        "metadata",
        value("metadata"),
        "sqlite:",
        resolve(dataDirectory, "metadata.sqlite"),
        problems,
      ),
    },
    blobs: parseBlobs(
      value("blobs"),
      resolve(dataDirectory, "store"),
      {
        endpoint: value("s3-endpoint"),
        region: value("s3-region"),
        addressing: value("s3-addressing"),
        objectLock: value("s3-object-lock"),
      },
      problems,
    ),
    unlock: parseUnlock(value("unlock"), resolve(dataDirectory, "master.key"), problems),
    incrementCheckEvery: parseIncrementCheck(value("increment-check"), problems),
    logLevel: oneOf("log-level", value("log-level"), ["debug", "info", "warn", "error", "silent"], problems),
    rateLimits: oneOf("rate-limits", value("rate-limits"), ["atlas", "off"], problems) as "atlas" | "off",
    externalHosts: parseHostRules(value("external-hosts"), problems),
    testCommands: oneOf("enable-test-commands", value("enable-test-commands"), ["on", "off"], problems) === "on",
    demo: given.has("demo"),
  };
  checkRoles(value("roles"), problems);
  if (problems.length > 0) throw new ConfigurationError(problems);
  return Object.freeze(configuration);
}

function setting(flag: string, placeholder: string, defaultValue: string | undefined, description: string): Setting {
  return {
    flag,
    environmentVariable: `TELAMON_${flag.toUpperCase().replaceAll("-", "_")}`,
    placeholder,
    defaultValue,
    description,
  };
}

function parseFlags(flags: readonly string[], problems: string[]): Map<string, string> {
  const given = new Map<string, string>();
  for (let position = 0; position < flags.length; position += 1) {
    const [name = "", ...rest] = (flags[position] ?? "").split("=");
    const flag = name.startsWith("--") ? name.slice(2) : "";
    if (flag === "demo" && rest.length === 0) {
      given.set("demo", "true");
      continue;
    }
    if (!settings.some((known) => known.flag === flag)) {
      problems.push(`unknown flag ${flags[position] ?? ""} (see telamon serve --help)`);
      continue;
    }
    const value = rest.length > 0 ? rest.join("=") : flags[position + 1];
    if (rest.length === 0) position += 1;
    if (value === undefined || value === "") problems.push(`--${flag} needs a value`);
    else if (given.has(flag)) problems.push(`--${flag} is given twice`);
    else given.set(flag, value);
  }
  return given;
}

function parseHost(text: string, problems: string[]): string {
  if (isIP(text) === 0 && text !== "localhost") problems.push(`--host must be an IP address or localhost, not ${text}`);
  return text;
}

function parsePort(text: string, problems: string[]): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (!(port <= 65_535)) problems.push(`--port must be a number from 0 to 65535, not ${text}`);
  return port;
}

function parsePortRange(text: string, problems: string[]): { readonly first: number; readonly last: number } {
  const match = /^(\d{1,5})-(\d{1,5})$/.exec(text);
  const first = Number(match?.[1]);
  const last = Number(match?.[2]);
  if (!(first >= 1 && first <= last && last <= 65_535)) {
    problems.push(`--engine-port-range must be two ports such as 27100-27999, not ${text}`);
  }
  return { first, last };
}

function parseEngineTls(certificate: string, key: string, problems: string[]): Configuration["engineTls"] {
  if (certificate === "" && key === "") return undefined;
  if (certificate === "" || key === "")
    problems.push("--engine-tls-certificate and --engine-tls-key have to be given together");
  return { certificatePath: resolve(certificate), keyPath: resolve(key) };
}

function parsePublicUrl(text: string, problems: string[]): string | undefined {
  if (text === "") return undefined;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (
    url === undefined ||
    !/^https?:$/.test(url.protocol) ||
    url.search !== "" ||
    url.hash !== "" ||
    url.username !== ""
  ) {
    problems.push(
      `--public-url must be an http or https URL without query, such as https://backup.example.com, not ${text}`,
    );
  }
  return text.replace(/\/+$/, "");
}

function parseLocation(flag: string, text: string, scheme: string, defaultPath: string, problems: string[]): string {
  if (/^postgres(ql)?:/.test(text)) {
    problems.push(
      `--${flag} ${text.slice(0, text.indexOf(":"))}: is not built yet; use ${scheme} (see README, "What does not work yet")`,
    );
  } else if (!text.startsWith(scheme)) {
    problems.push(`--${flag} must start with ${scheme}, not ${text}`);
  }
  const path = text.slice(scheme.length);
  return path === "" ? defaultPath : resolve(path);
}

function parseBlobs(text: string, defaultPath: string, values: S3Values, problems: string[]): BlobLocation {
  if (text.startsWith("s3:")) return parseS3Location(text, values, problems);
  const isMeant = values.endpoint !== "" || values.region !== "" || values.objectLock !== "off";
  if (isMeant) problems.push("--s3-endpoint, --s3-region and --s3-object-lock need --blobs s3://BUCKET");
  return { kind: "file", path: parseLocation("blobs", text, "file:", defaultPath, problems) };
}

/** Also what `telamon keys` takes for a new way in. */
export function parseUnlock(text: string, defaultPath: string, problems: string[]): UnlockLocation {
  const match = /^(file|env|passphrase-file|passphrase-env):(.*)$/s.exec(text);
  const [, kind = "", rest = ""] = match ?? [];
  if (kind === "file") return { kind: "key file", path: rest === "" ? defaultPath : resolve(rest) };
  if (kind === "passphrase-file" && rest !== "") return { kind: "passphrase file", path: resolve(rest) };
  if (kind.endsWith("env") && /^[A-Za-z_][A-Za-z0-9_]*$/.test(rest))
    return { kind: kind === "env" ? "key variable" : "passphrase variable", variable: rest };
  // Not the text: whoever mistakes the setting may have put a secret there.
  problems.push("--unlock must be file:, file:PATH, env:NAME, passphrase-file:PATH or passphrase-env:NAME");
  return { kind: "key file", path: defaultPath };
}

function parseIncrementCheck(text: string, problems: string[]): "never" | number {
  if (text === "never") return text;
  if (text === "always") return 1;
  const every = /^[1-9]\d{0,5}$/.test(text) ? Number(text) : undefined;
  if (every === undefined) problems.push(`--increment-check must be never, always or a number from 1, not ${text}`);
  return every ?? 1;
}

function oneOf(flag: string, text: string, allowed: readonly string[], problems: string[]): string {
  if (!allowed.includes(text)) problems.push(`--${flag} must be one of ${allowed.join(", ")}, not ${text}`);
  return text;
}

function parseHostRules(text: string, problems: string[]): HostRules {
  if (text === "any" || text === "none") return text;
  const rules = text.split(",").map((rule) => rule.trim());
  const wrong = rules.filter((rule) => !isHostRule(rule));
  if (wrong.length > 0)
    problems.push(`--external-hosts takes any, none, names, *.domain, addresses and networks, not ${wrong.join(", ")}`);
  return rules;
}

function checkRoles(text: string, problems: string[]): void {
  const roles = text.split(",").map((role) => role.trim());
  const all = ["api", "worker", "engine"];
  const unknown = roles.filter((role) => !all.includes(role));
  if (unknown.length > 0) problems.push(`--roles knows ${all.join(", ")}, not ${unknown.join(", ")}`);
  else if (all.some((role) => !roles.includes(role)))
    problems.push("--roles: splitting roles over processes is not built yet; give api,worker,engine");
}
