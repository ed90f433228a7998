import { readInt32 } from "../engine/index.ts";
import { headerLength, messageSizeMaxBytes, ProtocolError } from "./frame.ts";

/** Puts messages together from the pieces a socket gives. Holds at most one message beside what was just received. */
export class MessageReader {
  #pieces: Uint8Array[] = [];
  #length = 0;

  /** Whether bytes of an unfinished message are held. */
  get pending(): boolean {
    return this.#length > 0;
  }

  /** Whole messages that are now there, each in bytes of its own. Throws `ProtocolError` on a length that cannot be. */
  push(piece: Uint8Array): Uint8Array[] {
    this.#pieces.push(piece);
    this.#length += piece.length;
    const messages: Uint8Array[] = [];
    for (;;) {
      if (this.#length < 4) return messages;
      const head = this.#peek(4);
      const size = readInt32(head, 0);
      if (size < headerLength + 5 || size > messageSizeMaxBytes)
        throw new ProtocolError(`a message of ${size} bytes is not possible`);
      if (this.#length < size) return messages;
      messages.push(this.#take(size));
    }
  }

  #peek(size: number): Uint8Array {
    const first = this.#pieces[0] as Uint8Array;
    if (first.length >= size) return first;
    const joined = Buffer.concat(this.#pieces);
    this.#pieces = [joined];
    return joined;
  }

  #take(size: number): Uint8Array {
    const joined = this.#pieces.length === 1 ? (this.#pieces[0] as Uint8Array) : Buffer.concat(this.#pieces);
    this.#length -= size;
    this.#pieces = this.#length === 0 ? [] : [joined.subarray(size)];
    return joined.subarray(0, size);
  }
}
