import { createServer, type IncomingMessage, request as send, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export const faultKinds = [
  "cuts the connection",
  "passes on the request and cuts the connection",
  "cuts the request in its middle",
  "cuts the answer in its middle",
  "answers half, and calls it whole",
  "flips a bit of the request",
  "flips a bit of the answer",
  "answers 503 SlowDown",
  "answers 500 InternalError",
  "answers 502 with a page",
  "answers 200 with a page",
  "says nothing",
  "brings the answer drop by drop",
] as const;
export type FaultKind = (typeof faultKinds)[number];

export interface FaultingProxy {
  readonly endpoint: string;
  /** Faults that came about since `order`. */
  readonly met: () => number;
  /** Requests since `order`. */
  readonly seen: () => number;
  /** Connections that were open at once at most, since `order`. */
  readonly connectionsMost: () => number;
  readonly connectionsNow: () => number;
  /** From now on the requests with these numbers, from 0, go wrong so. */
  order(kind: FaultKind | undefined, isHit?: (number: number) => boolean): void;
  stop(): Promise<void>;
}

/** Answers a request in the server's place, or false: then the server does. */
export type Intercept = (incoming: IncomingMessage, body: Buffer, outgoing: ServerResponse) => Promise<boolean>;

/** A way to the server that goes wrong as told. */
export async function startFaultingProxy(target: string, intercept?: Intercept): Promise<FaultingProxy> {
  const { hostname, port } = new URL(target);
  let kind: FaultKind | undefined;
  let isHit: (number: number) => boolean = () => false;
  let seen = 0;
  let met = 0;

  const serve = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    const number = seen;
    seen += 1;
    const fault = kind !== undefined && isHit(number) ? kind : undefined;
    if (fault !== undefined) met += 1;
    const body = Buffer.concat((await Array.fromAsync(incoming)) as Buffer[]);
    if ((await intercept?.(incoming, body, outgoing)) === true) return;
    if (fault === "says nothing") return;
    if (fault === "cuts the connection") return void incoming.socket.destroy();
    const given = fault === undefined ? undefined : answers[fault];
    if (given !== undefined) return void outgoing.writeHead(given.status, given.headers).end(given.body);
    if (fault === "flips a bit of the request") flip(body);
    const answer = await passOn(incoming, body, fault === "cuts the request in its middle");
    if (answer === undefined || fault === "passes on the request and cuts the connection")
      return void incoming.socket.destroy();
    if (fault === "flips a bit of the answer") flip(answer.body);
    const { status, headers } = answer;
    const half = answer.body.subarray(0, answer.body.length >> 1);
    if (fault === "answers half, and calls it whole" && incoming.method !== "HEAD") {
      outgoing.writeHead(status, { ...headers, "content-length": half.length }).end(half);
    } else if (fault === "cuts the answer in its middle") {
      outgoing.writeHead(status, headers).write(half, () => incoming.socket.destroy());
    } else if (fault === "brings the answer drop by drop") {
      outgoing.writeHead(status, headers);
      for (const byte of answer.body) {
        if (outgoing.destroyed) return;
        outgoing.write(Uint8Array.of(byte));
        await new Promise((fulfil) => setTimeout(fulfil, 20));
      }
      outgoing.end();
    } else outgoing.writeHead(status, headers).end(answer.body);
  };

  const passOn = (
    { method, url, headers }: IncomingMessage,
    body: Buffer,
    isCut: boolean,
  ): Promise<{ status: number; headers: IncomingMessage["headers"]; body: Buffer } | undefined> =>
    new Promise((fulfil) => {
      const onward = send({ hostname, port, method, path: url, headers, agent: false }, async (answer) => {
        const bytes = Buffer.concat((await Array.fromAsync(answer)) as Buffer[]);
        fulfil({ status: answer.statusCode ?? 0, headers: answer.headers, body: bytes });
      });
      onward.on("error", () => fulfil(undefined));
      if (!isCut) onward.end(body);
      else onward.write(body.subarray(0, body.length >> 1), () => onward.destroy());
    });

  const server: Server = createServer((incoming, outgoing) => {
    serve(incoming, outgoing).catch(() => incoming.socket.destroy());
  });
  let connections = 0;
  let connectionsMost = 0;
  server.on("connection", (socket) => {
    connections += 1;
    connectionsMost = Math.max(connectionsMost, connections);
    socket.on("close", () => (connections -= 1));
  });
  await new Promise<void>((fulfil) => server.listen(0, "127.0.0.1", fulfil));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    met: () => met,
    seen: () => seen,
    connectionsMost: () => connectionsMost,
    connectionsNow: () => connections,
    order(wanted, hits = () => true) {
      kind = wanted;
      isHit = hits;
      seen = 0;
      met = 0;
      connectionsMost = connections;
    },
    async stop() {
      server.closeAllConnections();
      await new Promise((fulfil) => server.close(fulfil));
    },
  };
}

const page = "<html><body><h1>Welcome to the hotel</h1></body></html>";
const xml = (code: string): string =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${code}</Message></Error>`;

const answers: Partial<Record<FaultKind, { status: number; headers: Record<string, string>; body: string }>> = {
  "answers 503 SlowDown": { status: 503, headers: { "content-type": "application/xml" }, body: xml("SlowDown") },
  "answers 500 InternalError": {
    status: 500,
    headers: { "content-type": "application/xml" },
    body: xml("InternalError"),
  },
  "answers 502 with a page": { status: 502, headers: { "content-type": "text/html" }, body: page },
  "answers 200 with a page": { status: 200, headers: { "content-type": "text/html" }, body: page },
};

/** A bit in the middle. */
function flip(bytes: Buffer): void {
  const at = bytes.length >> 1;
  if (bytes.length > 0) bytes[at] = (bytes[at] as number) ^ 4;
}
