import type { Entry } from "./entry.ts";

/** Which blocks of which packs a snapshot needs: one bit a block, so that a terabyte costs a few megabytes. */
export class NeededBlocks {
  readonly #packs = new Map<string, { readonly id: Uint8Array; blocks: bigint }>();

  add({ packId, blockIndex }: Pick<Entry, "packId" | "blockIndex">): void {
    const key = Buffer.from(packId.buffer, packId.byteOffset, packId.length).toString("latin1");
    const pack = this.#packs.get(key) ?? { id: Uint8Array.from(packId), blocks: 0n };
    pack.blocks |= 1n << BigInt(blockIndex);
    this.#packs.set(key, pack);
  }

  packIds(): Uint8Array[] {
    return [...this.#packs.values()].map(({ id }) => id);
  }

  /** Stored bytes of all of them, each once. */
  async sizeBytes(blockSizes: (packId: Uint8Array) => Promise<readonly number[]>): Promise<number> {
    let total = 0;
    for (const { id, blocks } of this.#packs.values()) {
      for (const [index, size] of (await blockSizes(id)).entries())
        if (((blocks >> BigInt(index)) & 1n) === 1n) total += size;
    }
    return total;
  }
}
