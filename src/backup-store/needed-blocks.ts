import type { Entry } from "./entry.ts";

interface NeededPack {
  readonly id: Uint8Array;
  blocks: Uint8Array;
}

/** Which blocks of which packs a snapshot needs: one byte a block, so that a terabyte costs a few megabytes. */
export class NeededBlocks {
  readonly #packs = new Map<string, NeededPack>();
  /** Most entries are in the pack of the one before. */
  #last: NeededPack | undefined;

  add({ packId, blockIndex }: Pick<Entry, "packId" | "blockIndex">): void {
    const pack = this.#last !== undefined && isSame(this.#last.id, packId) ? this.#last : this.#find(packId);
    this.#last = pack;
    if (blockIndex >= pack.blocks.length) {
      const longer = new Uint8Array(Math.max(blockIndex + 1, pack.blocks.length * 2));
      longer.set(pack.blocks);
      pack.blocks = longer;
    }
    pack.blocks[blockIndex] = 1;
  }

  addAll(other: NeededBlocks): void {
    for (const { id, blocks } of other.#packs.values())
      for (const [blockIndex, isNeeded] of blocks.entries()) if (isNeeded === 1) this.add({ packId: id, blockIndex });
  }

  packIds(): Uint8Array[] {
    return [...this.#packs.values()].map(({ id }) => id);
  }

  /** Stored bytes of all of them, each once. */
  async sizeBytes(blockSizes: (packId: Uint8Array) => Promise<readonly number[]>): Promise<number> {
    let total = 0;
    for (const { id, blocks } of this.#packs.values())
      for (const [index, size] of (await blockSizes(id)).entries()) if (blocks[index] === 1) total += size;
    return total;
  }

  #find(packId: Uint8Array): NeededPack {
    const key = Buffer.from(packId.buffer, packId.byteOffset, packId.length).toString("latin1");
    const known = this.#packs.get(key);
    if (known !== undefined) return known;
    const made = { id: Uint8Array.from(packId), blocks: new Uint8Array(64) };
    this.#packs.set(key, made);
    return made;
  }
}

function isSame(one: Uint8Array, other: Uint8Array): boolean {
  // From the end, where packs of one snapshot differ.
  for (let index = one.length - 1; index >= 0; index -= 1) if (one[index] !== other[index]) return false;
  return one.length === other.length;
}
