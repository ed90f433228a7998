import type { OwnBytes } from "./threads/jobs.ts";

/** Memory of one size that is used again and again: getting and clearing a megabyte costs about what compressing a tenth of it does. */
export class Rooms {
  readonly #sizeBytes: number;
  readonly #kept: number;
  readonly #free: OwnBytes[] = [];

  /** `kept` rooms at most wait for their next use. */
  constructor(sizeBytes: number, kept: number) {
    this.#sizeBytes = sizeBytes;
    this.#kept = kept;
  }

  take(): OwnBytes {
    return this.#free.pop() ?? ownMemory(this.#sizeBytes);
  }

  /** Takes a room back, whoever made it, when it has the size. */
  giveBack(room: OwnBytes): void {
    if (room.length === this.#sizeBytes && this.#free.length < this.#kept) this.#free.push(room);
  }
}

/** A room that begins with the first `size` bytes of another and has space for at least `more` behind them. */
export function largerRoom(room: OwnBytes, size: number, more: number): OwnBytes {
  const larger = ownMemory(size + more);
  larger.set(room.subarray(0, size));
  return larger;
}

/** Memory that is not cleared, and never part of what Buffers share. */
export function ownMemory(sizeBytes: number): OwnBytes {
  const { buffer } = Buffer.allocUnsafeSlow(sizeBytes);
  return new Uint8Array(buffer);
}
