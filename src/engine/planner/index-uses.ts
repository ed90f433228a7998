/** How often indexes were used, by the bytes that name them in the catalog of an open file: an index's specification, or the collection's UUID for `_id`. */
const uses = new WeakMap<Uint8Array, number>();

export function countIndexUse(named: Uint8Array): void {
  uses.set(named, indexUse(named) + 1);
}

/** Times since the file was opened. */
export function indexUse(named: Uint8Array): number {
  return uses.get(named) ?? 0;
}
