import type { Message } from "./protocol.ts";

/** The side of a message channel, as worker threads have it. */
export interface Channel {
  postMessage(message: unknown): void;
  on(event: "message", listener: (message: unknown) => void): void;
}

/** Calls by name over a message channel, answered in any order. */
export class Peer {
  readonly #channel: Channel;
  readonly #waiting = new Map<number, { fulfil: (result: unknown) => void; reject: (error: Error) => void }>();
  #nextId = 0;
  #broken: Error | undefined;

  constructor(channel: Channel, answer: (name: string, argument: unknown) => Promise<unknown>, onLog: (message: Extract<Message, { kind: "log" }>) => void) {
    this.#channel = channel;
    channel.on("message", (received) => {
      const message = received as Message;
      if (message.kind === "call") void this.#answer(message, answer);
      else if (message.kind === "log") onLog(message);
      else this.#settle(message);
    });
  }

  call(name: string, argument: unknown): Promise<unknown> {
    if (this.#broken !== undefined) return Promise.reject(this.#broken);
    this.#nextId += 1;
    const id = this.#nextId;
    return new Promise((fulfil, reject) => {
      this.#waiting.set(id, { fulfil, reject });
      this.#channel.postMessage({ kind: "call", id, name, argument } satisfies Message);
    });
  }

  send(message: Message): void {
    this.#channel.postMessage(message);
  }

  /** Rejects whatever waits, now and later: the other side is gone. */
  breakOff(error: Error): void {
    this.#broken = error;
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }

  async #answer(message: Extract<Message, { kind: "call" }>, answer: (name: string, argument: unknown) => Promise<unknown>): Promise<void> {
    try {
      this.send({ kind: "answer", id: message.id, result: await answer(message.name, message.argument) });
    } catch (error) {
      this.send({ kind: "failure", id: message.id, message: (error as Error).message, code: (error as { code?: unknown }).code });
    }
  }

  #settle(message: Extract<Message, { kind: "answer" | "failure" }>): void {
    const waiting = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if (message.kind === "answer") waiting?.fulfil(message.result);
    else waiting?.reject(Object.assign(new Error(message.message), message.code === undefined ? {} : { code: message.code }));
  }
}
