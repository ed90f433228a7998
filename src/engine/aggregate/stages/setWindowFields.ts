import { EngineError, failedToParse, typeMismatch } from "../../engine-error.ts";
import { buildDocument } from "../../bson/builder.ts";
import { bsonType } from "../../bson/types.ts";
import { documentValue, nullValue, stringValue, type Value } from "../../bson/value.ts";
import { type Field, fieldsOf, fieldsOfValue } from "../../bson/walk.ts";
import { blockingStepMaxBytes, type Flow, memoryLimit } from "../../query/flow.ts";
import { createSortOrder, parseSort, type SortKey } from "../../query/sort.ts";
import { detached } from "../accumulators/accumulator.ts";
import type { Expression } from "../context.ts";
import { compileExpression } from "../expression.ts";
import { sortedList } from "../../bson/arrays.ts";
import { Work } from "../../steps.ts";
import { objectOf, type Stage, type StageFactory, type StagePlace } from "../stage.ts";
import { parseBounds } from "../windows/bounds.ts";
import { windowOperatorNamed } from "../windows/index.ts";
import type { Partition, WindowFunction } from "../windows/window-function.ts";
import { withAdded } from "./addFields.ts";

/** A field computed over windows. */
export interface WindowOutput {
  readonly segments: readonly string[];
  readonly compute: WindowFunction;
}

interface Entry {
  readonly document: Uint8Array;
  readonly partition: Value;
  readonly key: SortKey | undefined;
  readonly place: number;
}

export const $setWindowFields: StageFactory = (argument, place) => {
  let partitionBy: Value | undefined;
  let sortBy: Uint8Array | undefined;
  let output: readonly Field[] | undefined;
  for (const { name, value } of fieldsOf(objectOf(argument, place.name, 9))) {
    if (name === "partitionBy") partitionBy = value;
    else if (name === "sortBy") {
      if (value.type !== bsonType.object)
        throw typeMismatch("BSON field '$setWindowFields.sortBy' is the wrong type, expected type 'object'");
      sortBy = value.bytes();
    } else if (name === "output") {
      if (value.type !== bsonType.object)
        throw typeMismatch("BSON field '$setWindowFields.output' is the wrong type, expected type 'object'");
      output = [...fieldsOfValue(value)];
    } else throw new EngineError(40_415, "Location40415", `BSON field '$setWindowFields.${name}' is an unknown field.`);
  }
  if (output === undefined)
    throw new EngineError(
      40_414,
      "Location40414",
      "BSON field '$setWindowFields.output' is missing but a required field",
    );
  const partition = partitionBy === undefined ? undefined : compileExpression(partitionBy, place.expressions);
  const outputs = output.map(({ name, value }) => compileOutput(name, value, sortBy, place));
  return windowed(partition, sortBy, outputs, place);
};

function compileOutput(path: string, value: Value, sortBy: Uint8Array | undefined, place: StagePlace): WindowOutput {
  if (value.type !== bsonType.object) throw failedToParse(`The field '${path}' must be an object`);
  let operator: Field | undefined;
  let window: Value | undefined;
  for (const field of fieldsOfValue(value)) {
    if (field.name === "window") window = field.value;
    else if (!field.name.startsWith("$"))
      throw failedToParse(`'window' field can only contain known arguments, found ${field.name}`);
    else if (operator !== undefined) throw failedToParse(`Expected exactly one window function for '${path}'`);
    else operator = field;
  }
  if (operator === undefined) throw failedToParse(`Expected a $-prefixed window function for '${path}'`);
  const { name, value: argument } = operator;
  return {
    segments: segmentsOf(path),
    compute: windowFunction(name, argument, window, sortBy, place),
  };
}

function segmentsOf(path: string): readonly string[] {
  const segments = path.split(".");
  if (path === "" || segments.includes("") || path.startsWith("$"))
    throw new EngineError(40_352, "Location40352", `FieldPath '${path}' cannot be an output`);
  return segments;
}

/** The function of that name, compiled. */
export function windowFunction(
  name: string,
  argument: Value,
  window: Value | undefined,
  sortBy: Uint8Array | undefined,
  { expressions }: StagePlace,
): WindowFunction {
  const sort = sortBy === undefined ? [] : parseSort(sortBy);
  const [only, more] = sort;
  const compile = (value: Value): Expression => compileExpression(value, expressions);
  return windowOperatorNamed(name)(argument, {
    name,
    context: expressions,
    compile,
    sort,
    sortValue: only === undefined || more !== undefined ? undefined : compile(stringValue(`$${only.path.text}`)),
    bounds: window === undefined ? undefined : parseBounds(window),
  });
}

/** Adds fields computed over the documents of a partition, which come ordered by partition and order. Throws 292 past 100 MB. */
export function windowed(
  partitionBy: Expression | undefined,
  sortBy: Uint8Array | undefined,
  outputs: readonly WindowOutput[],
  { name, expressions }: StagePlace,
): Stage {
  const order = createSortOrder(parseSort(sortBy ?? buildDocument([])), expressions.collation);
  const hasOrder = sortBy !== undefined;
  const inOrder = (one: Entry, other: Entry): number =>
    expressions.compare(one.partition, other.partition) ||
    (one.key === undefined || other.key === undefined ? 0 : order.compare(one.key, other.key)) ||
    one.place - other.place;
  return function* setWindowFields(flow: Flow): Flow {
    const unordered: Entry[] = [];
    const place = new Work((document: Uint8Array) => ({
      partition: detached(partitionOf(partitionBy, document)),
      key: hasOrder ? order.keyOf(document) : undefined,
    }));
    let bytes = 0;
    for (const document of flow) {
      if (document === undefined) {
        yield undefined;
        continue;
      }
      const { partition, key } = yield* place.pausing(document);
      unordered.push({ document, partition, key, place: unordered.length });
      bytes += document.length + (key?.length ?? 0) + partition.end - partition.start + 128;
      if (bytes > blockingStepMaxBytes) throw memoryLimit(name);
    }
    const entries = yield* new Work(() => sortedList(unordered, inOrder)).pausing(undefined);
    for (let start = 0; start < entries.length;) {
      let end = start + 1;
      const { partition } = entries[start] as Entry;
      while (end < entries.length && expressions.compare((entries[end] as Entry).partition, partition) === 0) end += 1;
      yield* computed(entries.slice(start, end), outputs, order.compare);
      start = end;
    }
  };
}

function partitionOf(partitionBy: Expression | undefined, document: Uint8Array): Value {
  const value = partitionBy?.(documentValue(document)) ?? nullValue;
  if (value.type === bsonType.array)
    throw typeMismatch("An expression used to partition cannot evaluate to value of type array");
  return value;
}

function* computed(
  entries: readonly Entry[],
  outputs: readonly WindowOutput[],
  compareKeys: Partition["compareKeys"],
): Flow {
  const partition: Partition = {
    roots: entries.map(({ document }) => documentValue(document)),
    keys: entries.flatMap(({ key }) => (key === undefined ? [] : [key])),
    compareKeys,
  };
  const columns: (readonly (Value | undefined)[])[] = [];
  for (const { compute } of outputs) columns.push(yield* compute(partition));
  for (const [index, { document }] of entries.entries()) {
    let result = document;
    for (const [column, { segments }] of outputs.entries())
      result = withAdded(result, segments, columns[column]?.[index]);
    yield result;
  }
}
