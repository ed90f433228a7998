/** Entries in order, one after the other. */
export interface Run<Entry> {
  next(): Entry | undefined;
}

interface Head<Entry> {
  readonly run: Run<Entry>;
  /** Number of the run: of equal entries that of an earlier run comes first. */
  readonly number: number;
  entry: Entry;
}

/** Entries that are merged in one stretch. */
const stretchLength = 256;

/** Sorted runs as one, its first `limit` entries; undefined is a moment to give way. */
export function* mergedRuns<Entry extends object>(
  runs: readonly Run<Entry>[],
  order: (one: Entry, other: Entry) => number,
  limit: number = Number.POSITIVE_INFINITY,
): Generator<Entry | undefined, void, undefined> {
  const before = (one: Head<Entry>, other: Head<Entry>): boolean =>
    (order(one.entry, other.entry) || one.number - other.number) < 0;
  // A binary heap of the runs by their next entry.
  const heap: Head<Entry>[] = [];
  for (const [number, run] of runs.entries()) {
    const entry = run.next();
    if (entry !== undefined) heap.push({ run, number, entry });
  }
  for (let index = Math.floor(heap.length / 2) - 1; index >= 0; index -= 1) sink(heap, index, before);
  for (let given = 0; given < limit; given += 1) {
    const head = heap[0];
    if (head === undefined) return;
    yield head.entry;
    if (given % stretchLength === stretchLength - 1) yield undefined;
    const next = head.run.next();
    if (next !== undefined) {
      head.entry = next;
    } else {
      const last = heap.pop() as Head<Entry>;
      if (heap.length === 0) return;
      if (last !== head) heap[0] = last;
    }
    sink(heap, 0, before);
  }
}

/** Moves the head at `index` down to where no head below it comes before it. */
function sink<Entry>(
  heap: Head<Entry>[],
  index: number,
  before: (one: Head<Entry>, other: Head<Entry>) => boolean,
): void {
  const moved = heap[index];
  if (moved === undefined) return;
  let hole = index;
  for (;;) {
    let child = hole * 2 + 1;
    let smaller = heap[child];
    if (smaller === undefined) break;
    const other = heap[child + 1];
    if (other !== undefined && before(other, smaller)) {
      child += 1;
      smaller = other;
    }
    if (!before(smaller, moved)) break;
    heap[hole] = smaller;
    hole = child;
  }
  heap[hole] = moved;
}
