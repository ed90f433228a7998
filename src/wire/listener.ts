import { createServer, type Socket } from "node:net";
import { createCommandServer, type CommandServerOptions } from "../commands/command-server.ts";
import type { Log } from "../ports/log.ts";
import { serveConnection, type Connection } from "./connection.ts";

/** Connections one database takes. */
const connectionsMax = 1000;

export interface WireListenerOptions extends Omit<CommandServerOptions, "address"> {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly log: Log;
}

export interface WireListener {
  readonly port: number;
  connectionCount(): number;
  /** Ends every connection and cursor; clients that reconnect are served again. */
  closeConnections(reason: string): void;
  close(): Promise<void>;
}

/** Listens for MongoDB clients of one deployment. Throws when the port is taken. */
export async function startWireListener(options: WireListenerOptions): Promise<WireListener> {
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
  const commands = createCommandServer({ ...options, address: `${shownHost(options.host)}:${port}` });
  let connectionId = 0;
  server.on("connection", (socket: Socket) => {
    if (connections.size >= connectionsMax) {
      socket.destroy();
      return;
    }
    connectionId += 1;
    const connection = serveConnection(socket, commands.connect(connectionId, socket.remoteAddress ?? ""), options.log);
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
      const closed = new Promise<void>((fulfil) => {
        server.close(() => fulfil());
      });
      closeConnections("the database is being closed");
      await closed;
    },
  };
}

/** What drivers are told to connect to; an address that means "all" is no use to them. */
function shownHost(host: string): string {
  if (host === "0.0.0.0" || host === "::") return "127.0.0.1";
  return host.includes(":") ? `[${host}]` : host;
}
