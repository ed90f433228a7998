import { blockingStepMaxBytes, type Flow, memoryLimit } from "./flow.ts";
import { paused, Work } from "../steps.ts";
import type { SortKey, SortOrder } from "./sort.ts";

interface Keyed {
  readonly key: SortKey;
  readonly document: Uint8Array;
  /** Arrival, so that equal keys keep their order. */
  readonly place: number;
}

type Order = (one: Keyed, other: Keyed) => number;

/** Entries that are sorted in one stretch: a few milliseconds' work. */
const runLengthMax = 4096;
/** Entries that are merged in one stretch. */
const stretchLength = 256;
/** With a limit, fewer entries than this are never thrown away one by one. */
const keptLengthMin = 1000;
/** Nor while those held beyond the best take no more than this. */
const crowdedBytes = 8 * 1024 * 1024;

/** Sorts by key; with a limit only about twice that many are held. Gives way to others while it sorts. Throws 292 past 100 MB. */
export function* sorted(flow: Flow, sortOrder: SortOrder, limit: number | undefined): Flow {
  const order: Order = (one, other) => sortOrder.compare(one.key, other.key) || one.place - other.place;
  const keptMax = limit === undefined ? Number.POSITIVE_INFINITY : Math.max(limit * 2, keptLengthMin);
  const keyWork = new Work((document: Uint8Array) => sortOrder.keyOf(document));
  let runs: Keyed[][] = [];
  let run: Keyed[] = [];
  let kept = 0;
  let bytes = 0;
  let bytesOfBest = 0;
  let place = 0;
  for (const document of flow) {
    if (document === undefined) {
      yield undefined;
      continue;
    }
    let key = keyWork.run(document);
    for (; key === paused; key = keyWork.run(document)) yield undefined;
    const entry = { key, document, place };
    place += 1;
    run.push(entry);
    kept += 1;
    bytes += sizeOf(entry);
    if (bytes > blockingStepMaxBytes) throw memoryLimit("Sort");
    // Large documents are thrown away sooner, so that the limit's own are all that must fit.
    const crowded = limit !== undefined && kept > limit && bytes - bytesOfBest > crowdedBytes;
    if (run.length < runLengthMax && kept < keptMax && !crowded) continue;
    runs.push(run.toSorted(order));
    run = [];
    yield undefined;
    if (kept < keptMax && !crowded) continue;
    const best: Keyed[] = [];
    for (const one of merged(runs, order, limit)) {
      if (one === undefined) yield undefined;
      else best.push(one);
    }
    runs = [best];
    kept = best.length;
    bytes = best.reduce((sum, one) => sum + sizeOf(one), 0);
    bytesOfBest = bytes;
  }
  runs.push(run.toSorted(order));
  for (const entry of merged(runs, order, limit)) yield entry?.document;
}

function sizeOf({ key, document }: Keyed): number {
  return document.length + key.length + 64;
}

interface Head {
  readonly run: readonly Keyed[];
  position: number;
  entry: Keyed;
}

/** Sorted runs as one, its first `limit` entries; undefined is a moment to give way. */
function* merged(
  runs: readonly (readonly Keyed[])[],
  order: Order,
  limit: number = Number.POSITIVE_INFINITY,
): Generator<Keyed | undefined, void, undefined> {
  // A binary heap of the runs by their next entry.
  const heap: Head[] = [];
  for (const run of runs) {
    const [entry] = run;
    if (entry !== undefined) heap.push({ run, position: 0, entry });
  }
  for (let index = Math.floor(heap.length / 2) - 1; index >= 0; index -= 1) sink(heap, index, order);
  for (let given = 0; given < limit; given += 1) {
    const head = heap[0];
    if (head === undefined) return;
    yield head.entry;
    if (given % stretchLength === stretchLength - 1) yield undefined;
    head.position += 1;
    const next = head.run[head.position];
    if (next !== undefined) {
      head.entry = next;
    } else {
      const last = heap.pop() as Head;
      if (heap.length === 0) return;
      if (last !== head) heap[0] = last;
    }
    sink(heap, 0, order);
  }
}

/** Moves the head at `index` down to where no head below it is smaller. */
function sink(heap: Head[], index: number, order: Order): void {
  const moved = heap[index];
  if (moved === undefined) return;
  let hole = index;
  for (;;) {
    let child = hole * 2 + 1;
    let smaller = heap[child];
    if (smaller === undefined) break;
    const other = heap[child + 1];
    if (other !== undefined && order(other.entry, smaller.entry) < 0) {
      child += 1;
      smaller = other;
    }
    if (order(smaller.entry, moved.entry) >= 0) break;
    heap[hole] = smaller;
    hole = child;
  }
  heap[hole] = moved;
}
