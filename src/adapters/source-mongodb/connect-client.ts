import { lookup } from "node:dns";
import {
  MongoClient,
  MongoMissingDependencyError,
  MongoNetworkError,
  MongoParseError,
  MongoServerError,
  MongoServerSelectionError,
} from "mongodb";
import { SourceUnusable } from "../../ports/source-probe.ts";
import type { AllowedHosts } from "../../shared/allowed-hosts.ts";

export interface ConnectOptions {
  readonly serverSelectionTimeoutMs: number;
  /** Hosts that may be reached, whatever name leads to them; not asked about for databases hosted here. */
  readonly allowedHosts?: AllowedHosts | undefined;
  /** Everything goes to the primary, whatever the string prefers for reading. */
  readonly forWriting?: boolean | undefined;
}

export interface ConnectedClient {
  readonly client: MongoClient;
  /** Never throws. */
  close(): Promise<void>;
  /** What an error of the client means to people, when it is about the connection; the error itself otherwise. */
  explain(error: unknown): unknown;
}

/** Connects through the official driver. Throws the signal's reason when it aborts, `SourceUnusable` when there is no connecting to a deployment elsewhere. */
export async function connectClient(
  connectionString: string,
  options: ConnectOptions,
  signal: AbortSignal,
): Promise<ConnectedClient> {
  signal.throwIfAborted();
  const { serverSelectionTimeoutMs, allowedHosts } = options;
  const refused = new Set<string>();
  const client = makeClient(connectionString, options, refused);
  const abort = (): void => void client.close(true).catch(() => undefined);
  signal.addEventListener("abort", abort, { once: true });
  const connected: ConnectedClient = {
    client,
    async close() {
      signal.removeEventListener("abort", abort);
      await client.close(true).catch(() => undefined);
    },
    explain: (error) => (allowedHosts === undefined ? error : explain(error, refused, serverSelectionTimeoutMs)),
  };
  try {
    await client.connect();
    return connected;
  } catch (error) {
    await connected.close();
    signal.throwIfAborted();
    throw connected.explain(error);
  }
}

function makeClient(
  connectionString: string,
  { serverSelectionTimeoutMs, allowedHosts, forWriting = false }: ConnectOptions,
  refused: Set<string>,
): MongoClient {
  const options = {
    serverSelectionTimeoutMS: serverSelectionTimeoutMs,
    appName: "telamon backup",
    // No read concern here: one of the client's own would take the place of the snapshot session's.
    ...(forWriting && { readPreference: "primary" as const }),
  };
  if (allowedHosts === undefined) return new MongoClient(connectionString, options);
  let client: MongoClient;
  try {
    client = new MongoClient(connectionString, { ...options, lookup: lookupWithin(allowedHosts, refused) as never });
  } catch (error) {
    // What the driver says of a string may repeat parts of it.
    throw new SourceUnusable("The driver does not take the connection string.", { cause: nameOf(error) });
  }
  // Servers tell of further members by names or addresses of their own choice.
  client.on("serverOpening", ({ address }) => {
    const host = hostOf(address);
    if (allowedHosts.host(host) !== "no") return;
    refused.add(host);
    void client.close(true).catch(() => undefined);
  });
  return client;
}

type LookupCallback = (error: Error | null, address?: unknown, family?: number) => void;

/** The system's look-up without the addresses that may not be reached; asked at every connection, so that a name cannot be moved in between. */
function lookupWithin(allowedHosts: AllowedHosts, refused: Set<string>) {
  return (host: string, options: { readonly all?: boolean }, callback: LookupCallback): void => {
    lookup(host, { ...options, all: true }, (error, found) => {
      if (error !== null) return callback(error);
      const allowed = found.filter(({ address }) => allowedHosts.address(address, host));
      const [first] = allowed;
      if (first === undefined) {
        refused.add(host);
        return callback(new Error("the operator does not let this host be reached"));
      }
      return options.all === true ? callback(null, allowed) : callback(null, first.address, first.family);
    });
  };
}

/** AuthenticationFailed, UserNotFound, MechanismUnavailable: the login was turned down. */
const loginRefused: ReadonlySet<unknown> = new Set([18, 11, 334]);
const unauthorized = 13;

function explain(error: unknown, refused: ReadonlySet<string>, timeoutMs: number): unknown {
  if (error instanceof SourceUnusable) return error;
  if (refused.size > 0)
    return new SourceUnusable(`The operator of this server does not let ${[...refused].join(", ")} be reached.`);
  if (error instanceof MongoServerError && loginRefused.has(error.code))
    return new SourceUnusable("The deployment does not accept the user and password of the connection string.");
  if (error instanceof MongoServerError && error.code === unauthorized)
    return new SourceUnusable(
      "The user of the connection string may not read what a snapshot needs (the role backup, or readAnyDatabase and clusterMonitor).",
    );
  if (error instanceof MongoMissingDependencyError || error instanceof MongoParseError)
    return new SourceUnusable("The driver does not take the connection string.", { cause: nameOf(error) });
  if (error instanceof MongoServerSelectionError || error instanceof MongoNetworkError || isDnsError(error))
    return new SourceUnusable(
      `No suitable server of the deployment could be used within ${Math.ceil(timeoutMs / 1000)} s: it is not reachable, speaks TLS differently, or is not the replica set that the connection string names.`,
    );
  return error;
}

function isDnsError(error: unknown): boolean {
  return error instanceof Error && "syscall" in error && /^(query|getaddrinfo)/.test(String(error.syscall));
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : "unknown";
}

/** The host of `host:port` or `[host]:port`. */
function hostOf(address: string): string {
  return address.replace(/:\d+$/, "").replace(/^\[(.*)\]$/, "$1");
}
