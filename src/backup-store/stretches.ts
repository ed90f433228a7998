import type { Entry } from "./entry.ts";
import type { PackReader } from "./pack-reader.ts";

/** Stored bytes that are asked for at once, and stored bytes between two wanted blocks that are rather read than left out. */
const stretchBytes = 2_097_152;
const gapBytes = 262_144;

/** Something that stands in a pack. */
export interface Placed {
  readonly entry: Entry;
}

/** What is in one pack, by block, such blocks as lie near each other together: as `PackReader.readNear` takes it. */
export async function* stretchesOf<Item extends Placed>(
  reader: PackReader,
  items: readonly Item[],
): AsyncGenerator<readonly Item[]> {
  for (const ofPack of Map.groupBy(items, ({ entry }) => Buffer.from(entry.packId).toString("latin1")).values()) {
    const inOrder = ofPack.toSorted((one, other) => one.entry.blockIndex - other.entry.blockIndex);
    // Whoever reads the pack sees why it has none.
    const layout = await reader.layout(inOrder[0]?.entry.packId as Uint8Array).catch(() => undefined);
    let stretch: Item[] = [];
    let from = 0;
    let to = 0;
    for (const item of inOrder) {
      const { blockIndex } = item.entry;
      const start = layout?.starts[blockIndex] ?? to;
      const isNext = stretch.at(-1)?.entry.blockIndex !== blockIndex;
      if (stretch.length > 0 && isNext && (start - to > gapBytes || start - from >= stretchBytes)) {
        yield stretch;
        stretch = [];
      }
      if (stretch.length === 0) from = start;
      to = start + (layout?.sizes[blockIndex] ?? 0);
      stretch.push(item);
    }
    yield stretch;
  }
}
