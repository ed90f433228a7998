import { createServer, type Socket } from "node:net";
import { createCommandServer, type CommandServerOptions } from "../commands/command-server.ts";
import type { Log } from "../ports/log.ts";
import { serveConnection, type Connection } from "./connection.ts";
import { defaultWireLimits, type WireLimits } from "./limits.ts";

export interface WireListenerOptions extends CommandServerOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly log: Log;
  /** Where they differ from `defaultWireLimits`. */
  readonly limits?: Partial<WireLimits>;
}

export interface WireListener {
  readonly port: number;
  connectionCount(): number;
  /** Ends every connection and cursor; clients that reconnect are served again. */
  closeConnections(reason: string): void;
  close(): Promise<void>;
}

/** How often cursors are looked for that nobody uses. */
const sweepEveryMs = 60_000;

/** Listens for MongoDB clients of one deployment. Throws when the port is taken. */
export async function startWireListener(options: WireListenerOptions): Promise<WireListener> {
  const limits: WireLimits = { ...defaultWireLimits, ...options.limits };
  const connections = new Set<Connection>();
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
    const client = {
      id: connectionId,
      remoteHost: plainHost(socket.remoteAddress ?? ""),
      remotePort: socket.remotePort ?? 0,
      address: `${reachedHost(options.host, socket)}:${port}`,
    };
    const connection = serveConnection(socket, commands.connect(client), limits, options.log);
    connections.add(connection);
    socket.once("close", () => connections.delete(connection));
  });
  const closeConnections = (reason: string): void => {
    for (const connection of connections) connection.close(reason);
    // Cursors outlive connections, and would go on reading what is being closed.
    commands.close();
  };
  return {
    port,
    connectionCount: () => connections.size,
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
function reachedHost(host: string, socket: Socket): string {
  const reached = host === "0.0.0.0" || host === "::" || host === "" ? (socket.localAddress ?? "127.0.0.1") : host;
  const plain = plainHost(reached);
  return plain.includes(":") ? `[${plain}]` : plain;
}

/** An IPv4 address as such, also where it came by an IPv6 socket. */
function plainHost(host: string): string {
  return host.startsWith("::ffff:") ? host.slice(7) : host;
}
