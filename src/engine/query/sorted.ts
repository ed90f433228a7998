import { buildDocument } from "../bson/builder.ts";
import type { Value } from "../bson/value.ts";
import { getField } from "../bson/walk.ts";
import { paused, Work } from "../steps.ts";
import { RunReader, SpilledRuns } from "../storage/spilled-runs.ts";
import { type Flow, heldMaxBytes, memoryLimit, type Room } from "./flow.ts";
import { mergedRuns, type Run } from "./merged-runs.ts";
import type { SortKey, SortOrder } from "./sort.ts";

interface Entry {
  readonly key: SortKey;
  /** Of a spilled entry where it is read next. */
  readonly document: Uint8Array | RunReader;
  /** Arrival, so that equal keys keep their order. */
  readonly place: number;
}

interface Keyed extends Entry {
  readonly document: Uint8Array;
}

type Order = (one: Entry, other: Entry) => number;

/** Entries that are sorted in one stretch: a few milliseconds' work. */
const runLengthMax = 4096;
/** With a limit, fewer entries than this are never thrown away one by one. */
const keptLengthMin = 1000;
/** Nor while those held beyond the best take no more than this. */
const crowdedBytes = 8 * 1024 * 1024;

/**
 * Sorts by key; with a limit only about twice that many are held. Gives way to others while it sorts. What does not fit into the room's memory is laid on the disk as
 * runs, which are merged at the end; without a disk throws 292.
 */
export function* sorted(flow: Flow, sortOrder: SortOrder, limit: number | undefined, room: Room): Flow {
  const sorter = new Sorter(sortOrder, limit, room);
  try {
    for (const document of flow) {
      if (document === undefined) yield undefined;
      else yield* sorter.add(document);
    }
    yield* sorter.results();
  } finally {
    sorter.close();
  }
}

class Sorter {
  readonly #keyWork: Work<Uint8Array, SortKey>;
  readonly #order: Order;
  readonly #limit: number | undefined;
  readonly #keptMax: number;
  readonly #room: Room;
  readonly #sortOrder: SortOrder;
  #spilled: SpilledRuns | undefined;
  #runs: Keyed[][] = [];
  #run: Keyed[] = [];
  #kept = 0;
  #bytes = 0;
  #bytesOfBest = 0;
  #place = 0;

  constructor(sortOrder: SortOrder, limit: number | undefined, room: Room) {
    this.#keyWork = new Work((document) => sortOrder.keyOf(document));
    this.#order = (one, other) => sortOrder.compare(one.key, other.key) || one.place - other.place;
    this.#limit = limit;
    this.#keptMax = limit === undefined ? Number.POSITIVE_INFINITY : Math.max(limit * 2, keptLengthMin);
    this.#room = room;
    this.#sortOrder = sortOrder;
  }

  *add(document: Uint8Array): Generator<undefined, void> {
    let key = this.#keyWork.run(document);
    for (; key === paused; key = this.#keyWork.run(document)) yield undefined;
    const entry = { key, document, place: this.#place };
    this.#place += 1;
    this.#run.push(entry);
    this.#kept += 1;
    this.#bytes += sizeOf(entry);
    if (this.#bytes > heldMaxBytes(this.#room)) return yield* this.#makeRoom();
    // Large documents are thrown away sooner, so that the limit's own are all that must fit.
    const crowded =
      this.#limit !== undefined && this.#kept > this.#limit && this.#bytes - this.#bytesOfBest > crowdedBytes;
    if (this.#run.length < runLengthMax && this.#kept < this.#keptMax && !crowded) return;
    this.#endRun();
    yield undefined;
    if (this.#kept >= this.#keptMax || crowded) yield* this.#keepBest();
  }

  *results(): Flow {
    this.#endRun();
    if (this.#spilled === undefined) {
      for (const entry of this.#merged()) yield entry?.document;
      return;
    }
    yield* this.#spill();
    const runs = this.#spilled.readers().map((reader): Run<Entry> => ({
      next: () => {
        const saved = reader.next();
        if (saved === undefined) return undefined;
        // Runs are in the order of arrival, which tells equal ones apart.
        return { key: this.#sortOrder.loadKey(getField(saved, "k") as Value), document: reader, place: 0 };
      },
    }));
    for (const entry of mergedRuns(runs, this.#order, this.#limit))
      yield entry?.document instanceof RunReader ? entry.document.next() : undefined;
  }

  close(): void {
    this.#spilled?.close();
  }

  #endRun(): void {
    this.#runs.push(this.#run.toSorted(this.#order));
    this.#run = [];
  }

  *#makeRoom(): Generator<undefined, void> {
    this.#endRun();
    const { openFile } = this.#room;
    if (this.#limit !== undefined && this.#kept > this.#limit) {
      yield* this.#keepBest();
      // Where little room is left this would come back too soon.
      if (this.#bytes <= heldMaxBytes(this.#room) * 0.9) return;
    }
    if (openFile === undefined) throw memoryLimit("Sort", this.#room);
    this.#spilled ??= new SpilledRuns(openFile());
    yield* this.#spill();
  }

  *#spill(): Generator<undefined, void> {
    yield* (this.#spilled as SpilledRuns).write(this.#saved());
    this.#keep([]);
  }

  *#keepBest(): Generator<undefined, void> {
    const best: Keyed[] = [];
    for (const one of this.#merged()) {
      if (one === undefined) yield undefined;
      else best.push(one);
    }
    this.#keep(best);
  }

  #keep(best: Keyed[]): void {
    this.#runs = [best];
    this.#kept = best.length;
    this.#bytes = best.reduce((sum, one) => sum + sizeOf(one), 0);
    this.#bytesOfBest = this.#bytes;
  }

  /** Two documents for each entry: its key, and itself. */
  *#saved(): Flow {
    for (const entry of this.#merged()) {
      if (entry !== undefined) yield buildDocument([["k", this.#sortOrder.saveKey(entry.key)]]);
      yield entry?.document;
    }
  }

  #merged(): Generator<Keyed | undefined, void> {
    return mergedRuns(this.#runs.map(runOf), this.#order, this.#limit);
  }
}

function runOf(entries: readonly Keyed[]): Run<Keyed> {
  let position = 0;
  return {
    next: () => {
      position += 1;
      return entries[position - 1];
    },
  };
}

/** Bytes that a document in a sort is counted with. */
function sizeOf({ key, document }: Keyed): number {
  return document.length + key.length + 64;
}
