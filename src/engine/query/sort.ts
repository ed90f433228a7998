import { badValue, located, notSupported } from "../engine-error.ts";
import { compareBytes } from "../bson/bytes.ts";
import { KeyWriter } from "../bson/key.ts";
import { parsePath, type Path } from "../bson/path.ts";
import { bsonType } from "../bson/types.ts";
import { documentValue, nullValue, undefinedValue, type Value, wholeNumberOf } from "../bson/value.ts";
import { elementsOf, fieldsOf, findField } from "../bson/walk.ts";
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
  return (document) => {
    let best: Uint8Array | undefined;
    forEachKey(fields, document, (places) => {
      const writer = new KeyWriter();
      for (const [index, { descending }] of fields.entries())
        writer.value(places[index]?.value ?? nullValue, descending);
      const key = writer.finish();
      if (best === undefined || compareBytes(key, best) < 0) best = key;
    });
    return best as Uint8Array;
  };
}

/** The order of documents by fields; under a collation keys are the values themselves, since `Intl` compares texts and gives no bytes for them. */
export function createSortOrder(fields: readonly SortField[], collation: Collation | undefined): SortOrder {
  if (collation === undefined)
    return {
      keyOf: createSortKey(fields),
      compare: (one, other) => compareBytes(one as Uint8Array, other as Uint8Array),
    };
  const compareValues = valueOrder(collation);
  const compare = (one: SortKey, other: SortKey): number =>
    compareFields((one as CollatedKey).values, (other as CollatedKey).values, fields, compareValues);
  const keyOf = (document: Uint8Array): CollatedKey => {
    let best: CollatedKey | undefined;
    forEachKey(fields, document, (places) => {
      const values = places.map(({ value }) => value ?? nullValue);
      const key = { values, length: values.length * 64 };
      if (best === undefined || compare(key, best) < 0) best = key;
    });
    return best as CollatedKey;
  };
  return { keyOf, compare };
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

function forEachKey(
  fields: readonly SortField[],
  document: Uint8Array,
  offer: (places: readonly Place[]) => void,
): void {
  const whole = documentValue(document);
  spread(
    fields.map(({ path }) => ({ path, depth: 0, value: whole, settled: false })),
    offer,
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

/** Follows all paths, and where they meet an array goes on with each of its elements. */
function spread(places: readonly Place[], offer: (places: readonly Place[]) => void): void {
  const reached = places.map(follow);
  const stuck = reached.filter((place) => !place.settled);
  const [first] = stuck;
  if (first?.value === undefined) return offer(reached);
  const array = first.value;
  if (stuck.some(({ value }) => value?.source !== array.source || value.start !== array.start))
    throw badValue("cannot sort with keys that are parallel arrays");
  const elements = elementsOf(array);
  // An empty array comes before null, as undefined does.
  if (elements.length === 0)
    return spread(
      reached.map((place) => inElement(place, undefinedValue, true)),
      offer,
    );
  for (const element of elements)
    spread(
      reached.map((place) => inElement(place, element, false)),
      offer,
    );
}

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
