import type { Message } from "./protocol.ts";

/** One side of a message channel, as worker threads have it. */
export interface Channel {
  postMessage(message: unknown, transfer?: readonly ArrayBuffer[]): void;
  on(event: "message", listener: (message: unknown) => void): void;
}

export interface PeerOptions {
  readonly channel: Channel;
  /** Answers a call of the other side. What it throws arrives there as an `Error` with the same message and `code`. */
  readonly answer: (name: string, argument: unknown) => Promise<unknown>;
  readonly onLog?: (line: Extract<Message, { kind: "log" }>) => void;
}

/** Calls by name over a message channel, answered in any order. A `Uint8Array` that is an answer, or `bytes` of an argument, moves across instead of being copied there. */
export class Peer {
  readonly #channel: Channel;
  readonly #waiting = new Map<
    number,
    { readonly fulfil: (result: unknown) => void; readonly reject: (error: Error) => void }
  >();
  #nextId = 0;
  #broken: Error | undefined;

  constructor({ channel, answer, onLog }: PeerOptions) {
    this.#channel = channel;
    channel.on("message", (received) => {
      const message = received as Message;
      if (message.kind === "call") void this.#answer(message, answer);
      else if (message.kind === "log") onLog?.(message);
      else this.#settle(message);
    });
  }

  /** Calls that were not answered yet. */
  get waiting(): number {
    return this.#waiting.size;
  }

  call(name: string, argument: object): Promise<unknown> {
    if (this.#broken !== undefined) return Promise.reject(this.#broken);
    this.#nextId += 1;
    const id = this.#nextId;
    return new Promise((fulfil, reject) => {
      const { argument: sent, transfer } = movable(argument);
      this.#channel.postMessage({ kind: "call", id, name, argument: sent } satisfies Message, transfer);
      this.#waiting.set(id, { fulfil, reject });
    });
  }

  send(message: Message): void {
    this.#channel.postMessage(message, []);
  }

  /** Rejects whatever waits, now and later: the other side is gone. */
  breakOff(error: Error): void {
    this.#broken = error;
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }

  async #answer(
    { id, name, argument }: Extract<Message, { kind: "call" }>,
    answer: PeerOptions["answer"],
  ): Promise<void> {
    try {
      const result = await answer(name, argument);
      if (result instanceof Uint8Array) {
        const own = owned(result);
        this.#channel.postMessage({ kind: "answer", id, result: own } satisfies Message, [own.buffer]);
      } else {
        this.send({ kind: "answer", id, result });
      }
    } catch (error) {
      const { message, code } =
        error instanceof Error
          ? (error as Error & { readonly code?: unknown })
          : { message: String(error), code: undefined };
      this.send({ kind: "failure", id, message, code: ["string", "number"].includes(typeof code) ? code : undefined });
    }
  }

  #settle(message: Extract<Message, { kind: "answer" | "failure" }>): void {
    const waiting = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if (message.kind === "answer") waiting?.fulfil(message.result);
    else
      waiting?.reject(
        Object.assign(new Error(message.message), message.code === undefined ? {} : { code: message.code }),
      );
  }
}

/** The caller goes on owning its bytes: a copy of them is what moves. */
function movable(argument: object): { readonly argument: object; readonly transfer: readonly ArrayBuffer[] } {
  const { bytes } = argument as { readonly bytes?: unknown };
  if (!(bytes instanceof Uint8Array)) return { argument, transfer: [] };
  const copy = new Uint8Array(bytes);
  return { argument: { ...argument, bytes: copy }, transfer: [copy.buffer] };
}

/** The bytes alone in their buffer: small ones lie in a pool with others, which must not move. */
function owned(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const { buffer } = bytes;
  return buffer instanceof ArrayBuffer && bytes.byteLength === buffer.byteLength
    ? new Uint8Array(buffer)
    : new Uint8Array(bytes);
}
