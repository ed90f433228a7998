import type { LentBytes, OwnBytes } from "./threads/jobs.ts";

/**
 * Memory of one size that is used again and again: getting and clearing a megabyte costs about what compressing a tenth of it does. It is shared with the threads that work on
 * it, since memory that is handed to and fro has the collector look at everything about once for every ten megabytes.
 */
export class Rooms {
  readonly #sizeBytes: number;
  readonly #free: LentBytes[] = [];

  constructor(sizeBytes: number) {
    this.#sizeBytes = sizeBytes;
  }

  take(): LentBytes {
    return this.#free.pop() ?? new Uint8Array(new SharedArrayBuffer(this.#sizeBytes));
  }

  /** Takes a room back when it has the size. All are kept: there are no more than were in use at once, and the collector does not hurry to free what is shared. */
  giveBack(room: LentBytes): void {
    if (room.length === this.#sizeBytes) this.#free.push(room);
  }

  /** Exchanges a room for one that begins with its first `size` bytes and has space for at least `more` behind them; not shared, so that it is soon freed. */
  larger(room: LentBytes, size: number, more: number): OwnBytes {
    const larger = ownMemory(size + more);
    copyTo(larger, room.subarray(0, size), 0);
    this.giveBack(room);
    return larger;
  }
}

/**
 * Copies bytes into a room. `set`, and `copy` of a whole Buffer, which uses it, go word by word where memory is shared and take nearly three times as long as a part of a
 * Buffer does.
 */
export function copyTo(room: LentBytes, { buffer, byteOffset, length }: Uint8Array, at: number): void {
  Buffer.from(buffer).copy(room, at, byteOffset, byteOffset + length);
}

/** Memory that is not cleared, and never part of what Buffers share. */
export function ownMemory(sizeBytes: number): OwnBytes {
  const { buffer } = Buffer.allocUnsafeSlow(sizeBytes);
  return new Uint8Array(buffer);
}
