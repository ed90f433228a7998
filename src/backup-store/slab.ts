import { hashBlockLength } from "./chunk-id.ts";
import type { Chunk } from "./chunker.ts";
import { copyTo, type Rooms } from "./rooms.ts";
import type { LentBytes, Stretch } from "./threads/jobs.ts";

/** Bytes of chunks that are hashed at once in another thread: waking one costs about what hashing a fifth of a mebibyte does. */
export const slabTargetBytes = 2_097_152;
/** Bytes a slab has room for at first: its last chunk may reach beyond the target. */
export const slabRoomBytes = slabTargetBytes + 65_536;

/** Chunks, copied one behind the other, each with room before it for `hashBlockLength` bytes, so that they can go to another thread and be hashed where they are. */
export class Slab {
  readonly chunks: Omit<Chunk, "bytes">[] = [];
  readonly stretches: Stretch[] = [];
  readonly #rooms: Rooms;
  #room: LentBytes;
  #size = 0;

  constructor(rooms: Rooms) {
    this.#rooms = rooms;
    this.#room = rooms.take();
  }

  get bytes(): LentBytes {
    return this.#room;
  }

  get sizeBytes(): number {
    return this.#size;
  }

  get isFull(): boolean {
    return this.#size >= slabTargetBytes;
  }

  add({ bytes, documentCount, firstIdLength }: Chunk): void {
    const start = this.#size + hashBlockLength;
    const end = start + bytes.length;
    if (end > this.#room.length) this.#room = this.#rooms.larger(this.#room, this.#size, end - this.#size);
    copyTo(this.#room, bytes, start);
    this.#size = end;
    this.stretches.push({ start, end });
    this.chunks.push({ documentCount, firstIdLength });
  }
}
