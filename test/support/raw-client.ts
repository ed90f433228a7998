import { createHash, createHmac, pbkdf2Sync } from "node:crypto";
import { connect, type Socket } from "node:net";
import { deserialize, type Document, serialize } from "bson";
import { crc32c } from "../../src/wire/frame.ts";

export const checksumPresent = 1;
export const moreToCome = 2;
export const exhaustAllowed = 1 << 16;

export interface RawReply {
  readonly requestId: number;
  readonly responseTo: number;
  readonly opCode: number;
  readonly flags: number;
  readonly document: Document;
}

/** A message of the wire protocol: the header and whatever is given. */
export function rawMessage(opCode: number, requestId: number, ...parts: readonly Uint8Array[]): Buffer {
  const header = Buffer.alloc(16);
  header.writeInt32LE(16 + parts.reduce((sum, part) => sum + part.length, 0), 0);
  header.writeInt32LE(requestId, 4);
  header.writeInt32LE(opCode, 12);
  return Buffer.concat([header, ...parts]);
}

/** An OP_MSG with one body and document sequences beside it. */
export function opMsg(
  body: Document | Uint8Array,
  options: {
    readonly flags?: number;
    readonly requestId?: number;
    readonly sequences?: Readonly<Record<string, readonly Uint8Array[]>>;
  } = {},
): Buffer {
  const flags = options.flags ?? 0;
  const parts = [int32(flags), Buffer.of(0), body instanceof Uint8Array ? body : serialize(body)];
  for (const [name, documents] of Object.entries(options.sequences ?? {})) {
    const content = Buffer.concat([Buffer.from(`${name}\0`), ...documents]);
    parts.push(Buffer.of(1), int32(content.length + 4), content);
  }
  if ((flags & checksumPresent) === 0) return rawMessage(2013, options.requestId ?? 1, ...parts);
  const message = rawMessage(2013, options.requestId ?? 1, ...parts, Buffer.alloc(4));
  message.writeUInt32LE(crc32c(message.subarray(0, -4)), message.length - 4);
  return message;
}

/** An OP_QUERY as old handshakes are sent. */
export function opQuery(collection: string, document: Document): Buffer {
  return rawMessage(2004, 1, int32(0), Buffer.from(`${collection}\0`), int32(0), int32(-1), serialize(document));
}

export function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return bytes;
}

/** One connection, message by message. */
export class RawClient {
  readonly socket: Socket;
  /** Fulfilled when the server has ended the connection. */
  readonly closed: Promise<void>;
  readonly #replies: RawReply[] = [];
  readonly #waiting: ((reply: RawReply | undefined) => void)[] = [];
  #received: Buffer = Buffer.alloc(0);

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (piece: Buffer) => this.#take(piece));
    socket.on("error", () => undefined);
    this.closed = new Promise((fulfil) => {
      socket.on("close", () => {
        for (const waiter of this.#waiting.splice(0)) waiter(undefined);
        fulfil();
      });
    });
  }

  static connect(port: number): Promise<RawClient> {
    return new Promise((fulfil, reject) => {
      const socket = connect(port, "127.0.0.1", () => fulfil(new RawClient(socket)));
      socket.once("error", reject);
    });
  }

  send(message: Uint8Array): void {
    this.socket.write(message);
  }

  /** The next reply; undefined when the connection was ended. */
  receive(): Promise<RawReply | undefined> {
    const reply = this.#replies.shift();
    if (reply !== undefined) return Promise.resolve(reply);
    if (this.socket.destroyed) return Promise.resolve(undefined);
    return new Promise((fulfil) => this.#waiting.push(fulfil));
  }

  /** Sends a command and waits for its reply; empty when the connection was ended. */
  async command(document: Document, database: string = "admin"): Promise<Document> {
    this.send(opMsg({ ...document, $db: database }));
    return (await this.receive())?.document ?? {};
  }

  /** Logs in by SCRAM-SHA-256; the last reply. */
  async login(username: string, password: string): Promise<Document> {
    const bare = `n=${username},r=abcdefghijklmnop`;
    const start = await this.command({
      saslStart: 1,
      mechanism: "SCRAM-SHA-256",
      payload: Buffer.from(`n,,${bare}`),
      options: { skipEmptyExchange: true },
    });
    if (start["ok"] !== 1) return start;
    const challenge = Buffer.from((start["payload"] as { buffer: Uint8Array }).buffer).toString();
    const [, nonce = "", salt = "", rounds = ""] = /^r=([^,]+),s=([^,]+),i=(\d+)$/.exec(challenge) ?? [];
    const salted = pbkdf2Sync(password, Buffer.from(salt, "base64"), Number(rounds), 32, "sha256");
    const clientKey = createHmac("sha256", salted).update("Client Key").digest();
    const withoutProof = `c=biws,r=${nonce}`;
    const signature = createHmac("sha256", createHash("sha256").update(clientKey).digest())
      .update(`${bare},${challenge},${withoutProof}`)
      .digest();
    const proof = clientKey.map((byte, index) => byte ^ (signature[index] as number));
    return this.command({
      saslContinue: 1,
      conversationId: start["conversationId"],
      payload: Buffer.from(`${withoutProof},p=${Buffer.from(proof).toString("base64")}`),
    });
  }

  destroy(): void {
    this.socket.destroy();
  }

  #take(piece: Buffer): void {
    this.#received = Buffer.concat([this.#received, piece]);
    while (this.#received.length >= 16 && this.#received.length >= this.#received.readInt32LE(0)) {
      const message = this.#received.subarray(0, this.#received.readInt32LE(0));
      this.#received = this.#received.subarray(message.length);
      const opCode = message.readInt32LE(12);
      const reply = {
        requestId: message.readInt32LE(4),
        responseTo: message.readInt32LE(8),
        opCode,
        flags: message.readInt32LE(16),
        document: deserialize(message.subarray(opCode === 1 ? 36 : 21)),
      };
      const waiter = this.#waiting.shift();
      if (waiter === undefined) this.#replies.push(reply);
      else waiter(reply);
    }
  }
}
