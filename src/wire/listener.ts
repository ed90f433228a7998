import { createServer, type Socket } from "node:net";
import { createSecureContext, TLSSocket } from "node:tls";
import { type CommandConnection, createCommandServer, type CommandServerOptions } from "../commands/command-server.ts";
import type { Client } from "../commands/define-command.ts";
import type { Log } from "../ports/log.ts";
import { serveConnection, type Connection } from "./connection.ts";
import { defaultWireLimits, type WireLimits } from "./limits.ts";

export interface WireListenerOptions extends CommandServerOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly log: Log;
  /** PEM; undefined: clients speak plainly. */
  readonly tls?: TlsFiles | undefined;
  /** Where they differ from `defaultWireLimits`. */
  readonly limits?: Partial<WireLimits>;
}

/** A certificate chain and its private key, both PEM. */
export interface TlsFiles {
  readonly certificate: string;
  readonly key: string;
}

export interface WireListener {
  readonly port: number;
  connectionCount(): number;
  /** The connection from this port of the machine itself is passed on for another client: the one that it is to be taken for. */
  introduce(port: number, client: IntroducedClient): void;
  /** Ends every connection and cursor; clients that reconnect are served again. */
  closeConnections(reason: string): void;
  close(): Promise<void>;
}

export interface IntroducedClient {
  readonly remoteHost: string;
  readonly remotePort: number;
  /** The address of this machine that it reached. */
  readonly localHost: string;
}

/** How often cursors are looked for that nobody uses. */
const sweepEveryMs = 60_000;

/** Listens for MongoDB clients of one deployment. Throws when the port is taken, or when certificate and key cannot be used. */
export async function startWireListener(options: WireListenerOptions): Promise<WireListener> {
  const limits: WireLimits = { ...defaultWireLimits, ...options.limits };
  const secureContext =
    options.tls === undefined
      ? undefined
      : createSecureContext({ cert: options.tls.certificate, key: options.tls.key, minVersion: "TLSv1.2" });
  const connections = new Set<Connection>();
  const byPort = new Map<number, CommandConnection>();
  // The introduction and the connection itself come by different ways, in either order.
  const introductions = new Map<number, IntroducedClient>();
  const server = createServer({ keepAlive: true, keepAliveInitialDelay: 60_000, noDelay: true });
  await new Promise<void>((fulfil, reject) => {
    server.once("error", reject);
    server.listen(options.port, options.host, () => {
      server.off("error", reject);
      fulfil();
    });
  });
  server.on("error", (error) =>
    options.log.error({ err: error, deploymentId: options.deploymentId }, "a database listener failed"),
  );
  const { port } = server.address() as { port: number };
  const commands = createCommandServer(options);
  const sweep = setInterval(() => commands.closeIdleCursors(), sweepEveryMs).unref();
  let connectionId = 0;
  server.on("connection", (socket: Socket) => {
    if (connections.size >= limits.connectionsMax && !makeRoom(connections)) {
      options.log.warn({ deploymentId: options.deploymentId }, "a client was turned away: too many connections");
      socket.destroy();
      return;
    }
    connectionId += 1;
    const ownPort = socket.remotePort ?? 0;
    const arrived = introductions.get(ownPort) ?? {
      remoteHost: socket.remoteAddress ?? "",
      remotePort: ownPort,
      localHost: socket.localAddress ?? "",
    };
    introductions.delete(ownPort);
    const client = commands.connect({ id: connectionId, ...clientOf(arrived) });
    byPort.set(ownPort, client);
    // The limits on silence and length hold from the first byte, so the handshake is within them too.
    const spoken = secureContext === undefined ? socket : new TLSSocket(socket, { isServer: true, secureContext });
    const connection = serveConnection(spoken, client, limits, options.log);
    connections.add(connection);
    spoken.once("close", () => {
      connections.delete(connection);
      byPort.delete(ownPort);
    });
  });
  const clientOf = ({ remoteHost, remotePort, localHost }: IntroducedClient): Omit<Client, "id"> => ({
    remoteHost: plainHost(remoteHost),
    remotePort,
    address: `${reachedHost(options.host, localHost)}:${port}`,
  });
  const closeConnections = (reason: string): void => {
    for (const connection of connections) connection.close(reason);
    // Cursors outlive connections, and would go on reading what is being closed.
    commands.close();
  };
  return {
    port,
    connectionCount: () => connections.size,
    introduce(from, client) {
      const known = byPort.get(from);
      if (known === undefined) introductions.set(from, client);
      else known.introduce(clientOf(client));
    },
    closeConnections,
    async close() {
      clearInterval(sweep);
      const closed = new Promise<void>((fulfil) => {
        server.close(() => fulfil());
      });
      closeConnections("the database is being closed");
      await closed;
    },
  };
}

/** Ends the oldest connection of a client that has not logged in, so that strangers cannot keep users out. */
function makeRoom(connections: Set<Connection>): boolean {
  for (const connection of connections) {
    if (connection.busy()) continue;
    connection.close("too many connections");
    connections.delete(connection);
    return true;
  }
  return false;
}

/** The host drivers are told to connect to. Where the listener takes any address, it is the one this client came by. */
function reachedHost(host: string, localHost: string): string {
  const anywhere = host === "0.0.0.0" || host === "::" || host === "";
  const reached = anywhere ? localHost || "127.0.0.1" : host;
  const plain = plainHost(reached);
  return plain.includes(":") ? `[${plain}]` : plain;
}

/** An IPv4 address as such, also where it came by an IPv6 socket. */
function plainHost(host: string): string {
  return host.startsWith("::ffff:") ? host.slice(7) : host;
}
