import { sortedList } from "../bson/arrays.ts";
import { buildDocument, emptyDocument } from "../bson/builder.ts";
import type { Value } from "../bson/value.ts";
import { fieldsOf } from "../bson/walk.ts";
import { cannotSpill, type Room } from "../query/flow.ts";
import { mergedRuns } from "../query/merged-runs.ts";
import { Work } from "../steps.ts";
import type { SpillFile } from "../storage/query-space.ts";
import { type RunReader, SpilledRuns } from "../storage/spilled-runs.ts";
import { type Accumulator, detached } from "./accumulators/accumulator.ts";
import type { ExpressionContext } from "./context.ts";

/** Documents of one `_id`. */
export interface Group {
  readonly id: Value;
  readonly accumulators: readonly Accumulator[];
}

interface Entry {
  readonly id: Value;
  /** What the accumulators had taken is read next. */
  readonly reader: RunReader;
}

/** Groups that did not fit into memory, each stretch of them in the order of their ids. One `_id` may be in several stretches. */
export class SpilledGroups {
  readonly #runs: SpilledRuns;
  readonly #compare: ExpressionContext["compare"];
  readonly #create: (id: Value) => readonly Accumulator[];
  readonly #name: string;
  readonly #memoryMaxBytes: number;

  constructor(
    file: SpillFile,
    name: string,
    { memoryMaxBytes }: Pick<Room, "memoryMaxBytes">,
    { compare }: Pick<ExpressionContext, "compare">,
    create: (id: Value) => readonly Accumulator[],
  ) {
    this.#runs = new SpilledRuns(file);
    this.#name = name;
    this.#memoryMaxBytes = memoryMaxBytes;
    this.#compare = compare;
    this.#create = create;
  }

  *write(groups: readonly Group[]): Generator<undefined, void> {
    const inOrder = new Work(() => sortedList(groups, (one, other) => this.#compare(one.id, other.id)));
    yield* this.#runs.write(documentsOf(yield* inOrder.pausing(undefined)));
  }

  /** All groups, each once, with what their stretches had taken in the order of these; undefined is a moment to give way. Throws 146 for one that memory does not hold. */
  *groups(): Generator<Group | undefined, void> {
    const runs = this.#runs.readers().map((reader) => ({ next: () => this.#entryOf(reader) }));
    let current: { readonly group: Group; bytes: number } | undefined;
    for (const entry of mergedRuns(runs, (one, other) => this.#compare(one.id, other.id))) {
      if (entry === undefined) {
        yield undefined;
        continue;
      }
      if (current === undefined || this.#compare(current.group.id, entry.id) !== 0) {
        if (current !== undefined) yield current.group;
        current = { group: { id: entry.id, accumulators: this.#create(entry.id) }, bytes: 0 };
      }
      for (const accumulator of current.group.accumulators)
        for (const part of partsIn(entry.reader)) {
          current.bytes += accumulator.merge(part);
          if (current.bytes > this.#memoryMaxBytes) throw cannotSpill(this.#name, this.#memoryMaxBytes);
          yield undefined;
        }
    }
    if (current !== undefined) yield current.group;
  }

  close(): void {
    this.#runs.close();
  }

  #entryOf(reader: RunReader): Entry | undefined {
    const document = reader.next();
    const [field] = document === undefined ? [] : fieldsOf(document);
    if (field === undefined) return undefined;
    return { id: detached(field.value), reader };
  }
}

/** For each group a document of its id, and for each accumulator its parts and an empty document. */
function* documentsOf(groups: readonly Group[]): Generator<Uint8Array, void> {
  for (const group of groups) {
    yield buildDocument([["_id", group.id]]);
    for (const accumulator of group.accumulators) {
      for (const part of accumulator.save()) yield buildDocument([["part", part]]);
      yield emptyDocument;
    }
  }
}

/** The parts of one accumulator. */
function* partsIn(reader: RunReader): Generator<Value, void> {
  for (let document = reader.next(); document !== undefined; document = reader.next()) {
    const [field] = fieldsOf(document);
    if (field === undefined) return;
    yield field.value;
  }
}
