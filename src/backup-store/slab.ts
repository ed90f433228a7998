import type { Chunk } from "./chunker.ts";
import { largerRoom } from "./rooms.ts";
import type { OwnBytes } from "./threads/jobs.ts";

/** Bytes of chunks that are hashed at once in another thread. */
export const slabTargetBytes = 1_048_576;
/** Bytes a slab has room for at first: its last chunk may reach beyond the target. */
export const slabRoomBytes = slabTargetBytes + 65_536;

/** Chunks, copied one behind the other so that their bytes can go to another thread. */
export class Slab {
  readonly chunks: Omit<Chunk, "bytes">[] = [];
  /** Where each chunk ends. */
  readonly ends: number[] = [];
  #room: OwnBytes;
  #size = 0;

  constructor(room: OwnBytes) {
    this.#room = room;
  }

  get bytes(): OwnBytes {
    return this.#room;
  }

  get isFull(): boolean {
    return this.#size >= slabTargetBytes;
  }

  add({ bytes, documentCount, firstId }: Chunk): void {
    if (this.#size + bytes.length > this.#room.length) this.#room = largerRoom(this.#room, this.#size, bytes.length);
    this.#room.set(bytes, this.#size);
    this.#size += bytes.length;
    this.ends.push(this.#size);
    this.chunks.push({ documentCount, firstId });
  }
}
