import { hashBlockLength } from "./chunk-id.ts";
import type { Chunk } from "./chunker.ts";
import { largerRoom } from "./rooms.ts";
import type { OwnBytes, Stretch } from "./threads/jobs.ts";

/** Bytes of chunks that are hashed at once in another thread. */
export const slabTargetBytes = 1_048_576;
/** Bytes a slab has room for at first: its last chunk may reach beyond the target. */
export const slabRoomBytes = slabTargetBytes + 65_536;

/** Chunks, copied one behind the other, each with room before it for `hashBlockLength` bytes, so that they can go to another thread and be hashed where they are. */
export class Slab {
  readonly chunks: Omit<Chunk, "bytes">[] = [];
  readonly stretches: Stretch[] = [];
  #room: OwnBytes;
  #size = 0;

  constructor(room: OwnBytes) {
    this.#room = room;
  }

  get bytes(): OwnBytes {
    return this.#room;
  }

  get sizeBytes(): number {
    return this.#size;
  }

  get isFull(): boolean {
    return this.#size >= slabTargetBytes;
  }

  add({ bytes, documentCount, firstId }: Chunk): void {
    const start = this.#size + hashBlockLength;
    const end = start + bytes.length;
    if (end > this.#room.length) this.#room = largerRoom(this.#room, this.#size, end - this.#size);
    this.#room.set(bytes, start);
    this.#size = end;
    this.stretches.push({ start, end });
    this.chunks.push({ documentCount, firstId });
  }
}
