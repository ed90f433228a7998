import { readInt32 } from "../engine/index.ts";
import { headerLength, ProtocolError } from "./frame.ts";

const firstBufferBytes = 16_384;

/**
 * Puts messages together from the pieces a socket gives, however small. Holds at most one message, in a buffer that grows with what arrived and not with
 * what was announced.
 */
export class MessageReader {
  readonly #maxBytes: () => number;
  #held: Uint8Array = new Uint8Array(0);
  #length = 0;
  /** Announced length of the held message; 0 while its four bytes are not complete. */
  #size = 0;

  /** `maxBytes`: longest message right now. */
  constructor(maxBytes: () => number) {
    this.#maxBytes = maxBytes;
  }

  /** Whether bytes of an unfinished message are held. */
  get pending(): boolean {
    return this.#length > 0;
  }

  /** Whole messages that are now there. Throws `ProtocolError` on a length that cannot be. */
  push(piece: Uint8Array): Uint8Array[] {
    const messages: Uint8Array[] = [];
    let rest = piece;
    while (rest.length > 0) {
      if (this.#length === 0 && rest.length >= 4) {
        const size = this.#checked(readInt32(rest, 0));
        if (rest.length >= size) {
          // Not copied: most messages come in one piece.
          messages.push(rest.subarray(0, size));
          rest = rest.subarray(size);
          continue;
        }
      }
      rest = this.#hold(rest);
      if (this.#size === 0 || this.#length < this.#size) continue;
      messages.push(this.#held.subarray(0, this.#size));
      this.#held = new Uint8Array(0);
      this.#length = 0;
      this.#size = 0;
    }
    return messages;
  }

  /** Takes what belongs to the held message, first its length; answers what is left. */
  #hold(rest: Uint8Array): Uint8Array {
    const wanted = this.#size === 0 ? 4 : this.#size;
    const count = Math.min(rest.length, wanted - this.#length);
    const needed = this.#length + count;
    if (needed > this.#held.length) {
      const larger = Buffer.allocUnsafeSlow(
        Math.min(Math.max(needed, this.#held.length * 4, firstBufferBytes), Math.max(needed, this.#size)),
      );
      larger.set(this.#held.subarray(0, this.#length));
      this.#held = larger;
    }
    this.#held.set(rest.subarray(0, count), this.#length);
    this.#length = needed;
    if (this.#size === 0 && this.#length === 4) this.#size = this.#checked(readInt32(this.#held, 0));
    return rest.subarray(count);
  }

  #checked(size: number): number {
    if (size < headerLength + 5 || size > this.#maxBytes())
      throw new ProtocolError(`a message of ${size} bytes is not possible`);
    return size;
  }
}
