import { connect, createServer, type Socket } from "node:net";

export interface DoorOptions {
  readonly host: string;
  readonly port: number;
  /** Told of the first client, and of every other until the door is given up. */
  readonly onKnock: () => void;
}

/** Stands for a database that sleeps: it listens on the database's port and keeps who comes waiting, without a thread or a file. */
export interface Door {
  /** Stops listening, so that somebody else can, and answers the clients that wait; nothing of what they sent was read. */
  giveUp(): readonly Socket[];
  /** Sends away who waits, and goes on listening. */
  dismiss(): void;
  /** Stops listening and sends away who waits. */
  close(): void;
}

/** Clients that wait at one door; waking takes a fraction of a second. */
const waitingMax = 1000;

/** Throws an error whose `code` is `EADDRINUSE` when the port is taken. */
export async function openDoor({ host, port, onKnock }: DoorOptions): Promise<Door> {
  const waiting = new Set<Socket>();
  const server = createServer({ pauseOnConnect: true, noDelay: true, keepAlive: true, keepAliveInitialDelay: 60_000 });
  server.maxConnections = waitingMax;
  server.on("connection", (socket) => {
    waiting.add(socket);
    // A client that goes away while it waits is its own business.
    socket.on("error", () => undefined);
    socket.once("close", () => waiting.delete(socket));
    onKnock();
  });
  await new Promise<void>((fulfil, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      // What goes wrong with a single client that comes is told here too.
      server.on("error", () => undefined);
      fulfil();
    });
  });
  const dismiss = (): void => {
    for (const socket of waiting) socket.destroy();
  };
  return {
    giveUp() {
      // The port is free at once; the callback would wait for the clients.
      server.close();
      return [...waiting];
    },
    dismiss,
    close() {
      server.close();
      dismiss();
    },
  };
}

/** Who a client is, seen from where it came in. */
export interface Arrival {
  readonly remoteHost: string;
  readonly remotePort: number;
  /** The address of this machine that it reached. */
  readonly localHost: string;
}

/**
 * Joins a client that waited at a door to the listener that took its place. `introduce` tells the listener who it is that comes from the given local port; no byte of the
 * client is passed on before.
 */
export function bridge(
  client: Socket,
  address: { readonly host: string; readonly port: number },
  introduce: (port: number, arrival: Arrival) => Promise<void>,
): void {
  const { remoteAddress, remotePort, localAddress } = client;
  const listener = connect({ ...address, noDelay: true });
  const end = (): void => {
    client.destroy();
    listener.destroy();
  };
  listener.on("error", end);
  listener.once("close", end);
  client.once("close", end);
  if (client.destroyed || remoteAddress === undefined || remotePort === undefined) {
    end();
    return;
  }
  const arrival = { remoteHost: remoteAddress, remotePort, localHost: localAddress ?? address.host };
  listener.once("connect", () => void join());

  async function join(): Promise<void> {
    try {
      await introduce(listener.localPort ?? 0, arrival);
      client.pipe(listener);
      listener.pipe(client);
    } catch {
      end();
    }
  }
}
