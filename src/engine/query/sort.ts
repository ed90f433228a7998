import { badValue, located, notSupported } from "../engine-error.ts";
import { compareBytes } from "../bson/bytes.ts";
import { arrayValue } from "../bson/builder.ts";
import { KeyWriter } from "../bson/key.ts";
import { parsePath, type Path } from "../bson/path.ts";
import { bsonType } from "../bson/types.ts";
import {
  binaryOf,
  binaryValue,
  documentValue,
  nullValue,
  undefinedValue,
  type Value,
  wholeNumberOf,
} from "../bson/value.ts";
import { ElementReader, elementsOf, fieldsOf, findField } from "../bson/walk.ts";
import { type Loop, looped } from "../steps.ts";
import { type Collation, type CompareValues, valueOrder } from "./collation.ts";

export interface SortField {
  readonly path: Path;
  readonly descending: boolean;
}

/** What a document is sorted by; `length` is the bytes it holds. */
export interface SortKey {
  readonly length: number;
}

/** The order of documents that a sort asks for. Keys are for this order's own `compare`. */
export interface SortOrder {
  keyOf(document: Uint8Array): SortKey;
  compare(one: SortKey, other: SortKey): number;
  /** The key as a value, and back. */
  saveKey(key: SortKey): Value;
  loadKey(saved: Value): SortKey;
}

const sortFieldsMax = 32;

/** Fields of a sort document. Throws for directions other than 1 and -1. */
export function parseSort(specification: Uint8Array): readonly SortField[] {
  const fields: SortField[] = [];
  for (const { name, value } of fieldsOf(specification)) {
    if (value.type === bsonType.object) throw notSupported("sorting by $meta");
    const direction = wholeNumberOf(value);
    if (direction !== 1 && direction !== -1)
      throw located(15975, "$sort key ordering must be 1 (for ascending) or -1 (for descending)");
    if (name === "" || name.startsWith("$")) throw badValue(`invalid sort path ${name}`);
    if (name.split(".").includes("")) throw located(15998, "FieldPath field names may not be empty strings.");
    if (fields.some((field) => field.path.text === name)) continue;
    if (fields.length === sortFieldsMax) throw located(13103, "too many compound keys");
    fields.push({ path: parsePath(name), descending: direction === -1 });
  }
  return fields;
}

/**
 * A key for each document whose order under `memcmp` is the order asked for. An array stands for its elements, each of which makes a key of all the fields, and the
 * first of the keys in the order asked for counts. The key function throws 2 BadValue for fields in different arrays.
 */
export function createSortKey(fields: readonly SortField[]): (document: Uint8Array) => Uint8Array {
  const keys: Keys<Uint8Array> = {
    keyOf: (places) => {
      const writer = new KeyWriter();
      for (const [index, { descending }] of fields.entries())
        writer.value(places[index]?.value ?? nullValue, descending);
      return writer.finish();
    },
    compare: compareBytes,
  };
  return (document) => firstKey(fields, document, keys);
}

/** The order of documents by fields; under a collation keys are the values themselves, since `Intl` compares texts and gives no bytes for them. */
export function createSortOrder(fields: readonly SortField[], collation: Collation | undefined): SortOrder {
  if (collation === undefined)
    return {
      keyOf: createSortKey(fields),
      compare: (one, other) => compareBytes(one as Uint8Array, other as Uint8Array),
      saveKey: (key) => binaryValue(key as Uint8Array),
      loadKey: (saved) => binaryOf(saved).slice(),
    };
  const compareValues = valueOrder(collation);
  const compare = (one: SortKey, other: SortKey): number =>
    compareFields((one as CollatedKey).values, (other as CollatedKey).values, fields, compareValues);
  const keys: Keys<CollatedKey> = {
    keyOf: (places) => {
      const values = places.map(({ value }) => value ?? nullValue);
      return { values, length: values.length * 64 };
    },
    compare,
  };
  return {
    keyOf: (document) => firstKey(fields, document, keys),
    compare,
    saveKey: (key) => arrayValue((key as CollatedKey).values),
    loadKey: (saved) => {
      const values = elementsOf(saved);
      return { values, length: values.length * 64 };
    },
  };
}

interface CollatedKey extends SortKey {
  readonly values: readonly Value[];
}

/** Order of two lists of values by the directions of the fields. */
export function compareFields(
  one: readonly Value[],
  other: readonly Value[],
  fields: readonly SortField[],
  compare: CompareValues,
): number {
  for (const [index, { descending }] of fields.entries()) {
    const order = compare(one[index] as Value, other[index] as Value);
    if (order !== 0) return descending ? -order : order;
  }
  return 0;
}

/** How keys are made of the values at the ends of all paths, and how they compare. */
interface Keys<Key> {
  keyOf(places: readonly Place[]): Key;
  compare(one: Key, other: Key): number;
}

function firstKey<Key>(fields: readonly SortField[], document: Uint8Array, keys: Keys<Key>): Key {
  const whole = documentValue(document);
  return firstOf(
    fields.map(({ path }) => ({ path, depth: 0, value: whole, settled: false })),
    keys,
  );
}

/** How far a field's path was followed. */
interface Place {
  readonly path: Path;
  /** Segments that were followed. */
  readonly depth: number;
  readonly value: Value | undefined;
  /** Whether the value stands, although it may be an array. */
  readonly settled: boolean;
}

/** Follows all paths, and where they meet an array goes on with each of its elements; answers the first of all keys. */
function firstOf<Key>(places: readonly Place[], keys: Keys<Key>): Key {
  const reached = places.map(follow);
  const stuck = reached.filter((place) => !place.settled);
  const [first] = stuck;
  if (first?.value === undefined) return keys.keyOf(reached);
  const array = first.value;
  if (stuck.some(({ value }) => value?.source !== array.source || value.start !== array.start))
    throw badValue("cannot sort with keys that are parallel arrays");
  return looped(choosing as Loop<Choice<Key>, Choosing<Key>, Key>, { array, reached, keys });
}

interface Choice<Key> {
  readonly array: Value;
  readonly reached: readonly Place[];
  readonly keys: Keys<Key>;
}

interface Choosing<Key> extends Choice<Key> {
  readonly reader: ElementReader;
  element: Value | undefined;
  best: Key | undefined;
}

const choosing: Loop<Choice<unknown>, Choosing<unknown>, unknown> = {
  begin: (choice) => {
    const reader = new ElementReader(choice.array);
    return { ...choice, reader, element: reader.next(), best: undefined };
  },
  step: (state) => {
    const { reached, element, keys } = state;
    if (element === undefined) return false;
    const key = firstOf(
      reached.map((place) => inElement(place, element, false)),
      keys,
    );
    if (state.best === undefined || keys.compare(key, state.best) < 0) state.best = key;
    state.element = state.reader.next();
    return state.element !== undefined;
  },
  // An empty array comes before null, as undefined does.
  end: ({ best, reached, keys }) =>
    best ??
    firstOf(
      reached.map((place) => inElement(place, undefinedValue, true)),
      keys,
    ),
};

function inElement(place: Place, element: Value, empty: boolean): Place {
  if (place.settled) return place;
  if (place.depth === place.path.segments.length) return { ...place, value: element, settled: true };
  if (empty || element.type !== bsonType.object) return { ...place, value: undefined, settled: true };
  return { ...place, value: element };
}

/** Goes on to the path's end, to an array, or to where nothing is. */
function follow(place: Place): Place {
  const { segments } = place.path;
  let { depth, value } = place;
  while (!place.settled) {
    if (value?.type === bsonType.array) {
      const index = segments[depth]?.index;
      const picked = index === undefined ? undefined : elementsOf(value)[index];
      if (picked === undefined) return { ...place, depth, value };
      value = picked;
    } else if (depth === segments.length) {
      break;
    } else {
      const { bytes } = segments[depth] as Path["segments"][number];
      value = value?.type === bsonType.object ? findField(value.source, value.start, bytes) : undefined;
      if (value === undefined) break;
    }
    depth += 1;
  }
  return { ...place, depth, value, settled: true };
}
