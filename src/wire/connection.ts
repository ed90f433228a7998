import type { Socket } from "node:net";
import type { CommandConnection } from "../commands/command-server.ts";
import type { Compressor } from "../commands/compression.ts";
import { EngineError, fieldsOf, readInt32 } from "../engine/index.ts";
import type { Log } from "../ports/log.ts";
import { compress, type CompressedMessage, expand, opCompressed, readCompressed } from "./compression.ts";
import {
  messageSizeMaxBytes,
  ProtocolError,
  readLargeMessage,
  readMessage,
  stretchBytes,
  type WireRequest,
  writeReply,
} from "./frame.ts";
import type { WireLimits } from "./limits.ts";
import { MessageReader } from "./message-reader.ts";

export interface Connection {
  close(reason: string): void;
  /** Whether the client has logged in, or is being answered: such connections are not closed to make room. */
  busy(): boolean;
}

/** Serves one client: its requests one after the other, in the order they came. */
export function serveConnection(socket: Socket, commands: CommandConnection, limits: WireLimits, log: Log): Connection {
  return new ServedConnection(socket, commands, limits, log);
}

/** Commands whose replies are never compressed: what logs in must not be guessed from its length (OP_COMPRESSED). */
const plainCommands: ReadonlySet<string> = new Set([
  "hello",
  "isMaster",
  "ismaster",
  "saslStart",
  "saslContinue",
  "createUser",
  "updateUser",
]);

/** A message too long to be read at once. */
interface LargeMessage {
  readonly large: Uint8Array;
}

type Unread = CompressedMessage | LargeMessage;

interface Waiting {
  /** What was compressed, or is large, is read in its turn: one at a time, whatever waits. */
  readonly request: WireRequest | Unread;
  readonly sizeBytes: number;
}

class ServedConnection implements Connection {
  readonly #socket: Socket;
  readonly #commands: CommandConnection;
  readonly #limits: WireLimits;
  readonly #log: Log;
  readonly #reader: MessageReader;
  readonly #ended = new AbortController();
  readonly #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #working = false;
  #greeted = false;
  #sending = false;
  #replyId = 0;
  #deadline: ReturnType<typeof setTimeout> | undefined;

  constructor(socket: Socket, commands: CommandConnection, limits: WireLimits, log: Log) {
    this.#socket = socket;
    this.#commands = commands;
    this.#limits = limits;
    this.#log = log;
    this.#reader = new MessageReader(() => this.#messageMaxBytes());
    socket.on("data", (piece: Buffer) => this.#received(piece));
    socket.on("timeout", () => {
      // Nothing can arrive on a socket that is not read.
      if (socket.isPaused() && !this.#sending) socket.setTimeout(limits.stallTimeoutMs);
      else socket.destroy();
    });
    // A broken connection is the client's business; "close" follows.
    socket.on("error", () => undefined);
    socket.on("close", () => {
      clearTimeout(this.#deadline);
      if (!this.#ended.signal.aborted)
        this.#ended.abort(new EngineError(279, "ClientDisconnect", "the client has gone"));
      commands.close();
    });
    this.#watch();
  }

  close(reason: string): void {
    if (!this.#ended.signal.aborted) this.#ended.abort(new EngineError(11_600, "InterruptedAtShutdown", reason));
    this.#socket.destroy();
  }

  busy(): boolean {
    return this.#working || this.#commands.authenticated();
  }

  #received(piece: Uint8Array): void {
    if (this.#ended.signal.aborted) return;
    const pendingBefore = this.#reader.pending;
    try {
      for (const message of this.#reader.push(piece)) {
        this.#waiting.push({ request: this.#read(message), sizeBytes: message.length });
        this.#waitingBytes += message.length;
        this.#greeted = true;
      }
    } catch (error) {
      this.#unreadable(error);
      return;
    }
    if (this.#crowded()) this.#socket.pause();
    // Bytes of a message that has begun do not give it more time.
    if (!pendingBefore || !this.#reader.pending) this.#watch();
    if (this.#waiting.length > 0) void this.#work();
  }

  #read(message: Uint8Array): WireRequest | Unread {
    if (readInt32(message, 12) === opCompressed)
      return readCompressed(message, this.#commands.compressors(), this.#messageMaxBytes());
    return message.length > stretchBytes ? { large: message } : readMessage(message);
  }

  #messageMaxBytes(): number {
    return this.#commands.authenticated() ? messageSizeMaxBytes : this.#limits.unauthenticatedMessageMaxBytes;
  }

  #unreadable(error: unknown): void {
    if (error instanceof ProtocolError)
      this.#log.warn({ reason: error.message }, "a client sent bytes that are no MongoDB message");
    else this.#log.error({ err: error }, "a message of a client could not be read");
    this.close("bytes that are no message");
  }

  #crowded(): boolean {
    return this.#waiting.length >= this.#limits.waitingMax || this.#waitingBytes >= this.#limits.waitingMaxBytes;
  }

  /** Sets how long may be waited for what has to come next. */
  #watch(): void {
    clearTimeout(this.#deadline);
    if (this.#ended.signal.aborted) return;
    this.#watchProgress();
    if (this.#commands.authenticated() || this.#working) return;
    const expected = !this.#greeted || this.#reader.pending;
    const limitMs = expected ? this.#limits.handshakeTimeoutMs : this.#limits.unauthenticatedIdleMs;
    this.#deadline = setTimeout(() => this.#socket.destroy(), limitMs).unref();
  }

  /** Counts the time without progress while there should be some. */
  #watchProgress(): void {
    this.#socket.setTimeout(this.#reader.pending || this.#sending ? this.#limits.stallTimeoutMs : 0);
  }

  async #work(): Promise<void> {
    if (this.#working) return;
    this.#working = true;
    try {
      for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
        this.#waitingBytes -= next.sizeBytes;
        await this.#serve(next.request);
        if (this.#ended.signal.aborted) break;
        if (this.#socket.isPaused() && !this.#crowded()) this.#socket.resume();
      }
    } catch (error) {
      this.#log.error({ err: error }, "a client could not be answered");
      this.close("an internal error");
    } finally {
      this.#working = false;
      this.#watch();
    }
  }

  async #serve(request: WireRequest | Unread): Promise<void> {
    if ("body" in request) return this.#answer(request, undefined);
    let read: WireRequest;
    try {
      read = await readLargeMessage("large" in request ? request.large : await expand(request));
    } catch (error) {
      this.#unreadable(error);
      return;
    }
    if (this.#ended.signal.aborted) return;
    const compressor = "large" in request || isPlain(read) ? undefined : request.compressor;
    await this.#answer(read, compressor);
  }

  /** Runs a request and sends what it answers; several answers when it is one to be told of every change. */
  async #answer(request: WireRequest, compressor: Compressor | undefined): Promise<void> {
    let responseTo = request.requestId;
    for (let continued = false; ; continued = true) {
      const answer = await this.#commands.run({ ...request, continued }, this.#ended.signal);
      if (request.moreToCome || this.#ended.signal.aborted) return;
      if (answer.fields === undefined) {
        this.close("the connection was ended");
        return;
      }
      // Who asks for something else no longer waits for more of this.
      const moreToCome = answer.moreToCome && this.#waiting.length === 0;
      this.#replyId = (this.#replyId + 1) | 0;
      const plain = writeReply(
        { requestId: this.#replyId, responseTo, legacy: request.legacy, moreToCome },
        answer.fields,
      );
      responseTo = this.#replyId;
      const bytes = compressor === undefined ? plain : await compress(plain, compressor);
      // A client that does not read stops being answered until it does: nothing piles up here.
      if (!this.#socket.write(bytes)) await this.#drained();
      if (answer.hangUp) {
        this.#ended.abort(new EngineError(279, "ClientDisconnect", "the connection was ended"));
        this.#socket.destroySoon();
      }
      if (!moreToCome || this.#ended.signal.aborted) return;
    }
  }

  #drained(): Promise<void> {
    this.#sending = true;
    this.#watchProgress();
    return new Promise((fulfil) => {
      const done = (): void => {
        this.#socket.off("drain", done);
        this.#socket.off("close", done);
        this.#sending = false;
        this.#watchProgress();
        fulfil();
      };
      this.#socket.on("drain", done);
      this.#socket.on("close", done);
      // It may have been closed before anybody listened.
      if (this.#socket.destroyed) done();
    });
  }
}

function isPlain({ body, refusal }: WireRequest): boolean {
  if (refusal !== undefined) return true;
  const first = fieldsOf(body).next();
  return first.done !== true && plainCommands.has(first.value.name);
}
