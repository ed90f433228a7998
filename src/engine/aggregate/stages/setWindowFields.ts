import { EngineError, failedToParse, typeMismatch } from "../../engine-error.ts";
import { fieldPathOf } from "../../bson/field-name.ts";
import { arrayValue, buildDocument } from "../../bson/builder.ts";
import { bsonType } from "../../bson/types.ts";
import { documentValue, nullValue, stringValue, type Value } from "../../bson/value.ts";
import { elementsOf, type Field, fieldsOf, fieldsOfValue } from "../../bson/walk.ts";
import { cannotSpill, type Flow } from "../../query/flow.ts";
import { createSortOrder, parseSort, type SortKey, type SortOrder } from "../../query/sort.ts";
import { sorted } from "../../query/sorted.ts";
import { detached } from "../accumulators/accumulator.ts";
import type { Expression } from "../context.ts";
import { compileExpression } from "../expression.ts";
import { Work } from "../../steps.ts";
import { objectOf, roomOf, type Stage, type StageFactory, type StagePlace } from "../stage.ts";
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
    segments: fieldPathOf(path),
    compute: windowFunction(name, argument, window, sortBy, place),
  };
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
    bounds: window === undefined ? undefined : parseBounds(window, sort),
  });
}

/**
 * Adds fields computed over the documents of a partition, which come ordered by partition and order. The sort may lay on the disk what memory does not hold; a partition
 * has to fit: throws 146 past 100 MB.
 */
export function windowed(
  partitionBy: Expression | undefined,
  sortBy: Uint8Array | undefined,
  outputs: readonly WindowOutput[],
  place: StagePlace,
): Stage {
  const { name, expressions } = place;
  const room = roomOf(place);
  const inner = createSortOrder(parseSort(sortBy ?? buildDocument([])), expressions.collation);
  const hasOrder = sortBy !== undefined;
  const order = orderOf(partitionBy, hasOrder ? inner : undefined, expressions.compare);
  return function* setWindowFields(flow: Flow): Flow {
    const keyWork = new Work((document: Uint8Array) => order.keyOf(document));
    let entries: Entry[] = [];
    let bytes = 0;
    for (const document of sorted(flow, order, undefined, room)) {
      if (document === undefined) {
        yield undefined;
        continue;
      }
      const { partition, key, length } = yield* keyWork.pausing(document);
      const [first] = entries;
      if (first !== undefined && expressions.compare(first.partition, partition) !== 0) {
        yield* computed(entries, outputs, inner.compare);
        [entries, bytes] = [[], 0];
      }
      entries.push({ document, partition, key });
      bytes += document.length + length + 64;
      if (bytes > room.memoryMaxBytes) throw cannotSpill(name, room.memoryMaxBytes);
    }
    if (entries.length > 0) yield* computed(entries, outputs, inner.compare);
  };
}

interface PlaceKey extends SortKey {
  readonly partition: Value;
  readonly key: SortKey | undefined;
}

/** The order by partition, and within it by the order asked for. */
function orderOf(
  partitionBy: Expression | undefined,
  inner: SortOrder | undefined,
  compare: (one: Value, other: Value) => number,
): Omit<SortOrder, "keyOf"> & { readonly keyOf: (document: Uint8Array) => PlaceKey } {
  const keyOf = (partition: Value, key: SortKey | undefined): PlaceKey => ({
    partition,
    key,
    length: partition.end - partition.start + (key?.length ?? 0),
  });
  return {
    keyOf: (document) => keyOf(detached(partitionOf(partitionBy, document)), inner?.keyOf(document)),
    compare: (one, other) => {
      const [left, right] = [one as PlaceKey, other as PlaceKey];
      const order = compare(left.partition, right.partition);
      if (order !== 0 || inner === undefined || left.key === undefined || right.key === undefined) return order;
      return inner.compare(left.key, right.key);
    },
    saveKey: (one) => {
      const { partition, key } = one as PlaceKey;
      return arrayValue(key === undefined || inner === undefined ? [partition] : [partition, inner.saveKey(key)]);
    },
    loadKey: (saved) => {
      const [partition, key] = elementsOf(saved) as [Value, Value?];
      return keyOf(detached(partition), key === undefined ? undefined : inner?.loadKey(key));
    },
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
