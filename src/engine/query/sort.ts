import { badValue, located, notSupported } from "../engine-error.ts";
import { compareBytes } from "../bson/bytes.ts";
import { encodeKey, KeyWriter } from "../bson/key.ts";
import { parsePath, type Path, visitPath } from "../bson/path.ts";
import { bsonType } from "../bson/types.ts";
import { nullValue, undefinedValue, type Value, wholeNumberOf } from "../bson/value.ts";
import { elementsOf, fieldsOf } from "../bson/walk.ts";

export interface SortField {
  readonly path: Path;
  readonly descending: boolean;
}

/** Fields of a sort document. Throws for directions other than 1 and -1. */
export function parseSort(specification: Uint8Array): readonly SortField[] {
  const fields: SortField[] = [];
  for (const { name, value } of fieldsOf(specification)) {
    if (value.type === bsonType.object) throw notSupported("sorting by $meta");
    const direction = wholeNumberOf(value);
    if (direction !== 1 && direction !== -1)
      throw located(15975, "$sort key ordering must be 1 (for ascending) or -1 (for descending)");
    if (name === "" || name.startsWith("$")) throw badValue(`invalid sort path ${name}`);
    if (fields.some((field) => field.path.text === name)) continue;
    fields.push({ path: parsePath(name), descending: direction === -1 });
  }
  if (fields.length > 32) throw located(13103, "too many compound keys");
  return fields;
}

/** A key for each document whose order under `memcmp` is the order asked for; over arrays the least value counts ascending, the greatest descending. */
export function createSortKey(fields: readonly SortField[]): (document: Uint8Array) => Uint8Array {
  return (document) => {
    const writer = new KeyWriter();
    for (const field of fields) writer.value(sortValue(document, field), field.descending);
    return writer.finish();
  };
}

function sortValue(document: Uint8Array, { path, descending }: SortField): Value {
  let best: Value | undefined;
  let bestKey: Uint8Array | undefined;
  const offer = (value: Value): void => {
    if (best === undefined) {
      best = value;
      return;
    }
    bestKey ??= encodeKey(best);
    const key = encodeKey(value);
    const order = compareBytes(key, bestKey);
    if (descending ? order > 0 : order < 0) {
      best = value;
      bestKey = key;
    }
  };
  visitPath(document, 0, path, (value) => {
    if (value === undefined) offer(nullValue);
    else if (value.type !== bsonType.array) offer(value);
    else {
      const elements = elementsOf(value);
      // An empty array comes before null, as undefined does.
      if (elements.length === 0) offer(undefinedValue);
      for (const element of elements) offer(element);
    }
    return false;
  });
  return best ?? nullValue;
}
