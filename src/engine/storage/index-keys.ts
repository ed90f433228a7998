import { createHash } from "node:crypto";
import { EngineError, located } from "../engine-error.ts";
import { compareBytes, equalBytes } from "../bson/bytes.ts";
import { allElements, mappedList, sortedList } from "../bson/arrays.ts";
import { encodeKey, KeyWriter } from "../bson/key.ts";
import { type PathVisitor, visitPath } from "../bson/path.ts";
import { bsonType } from "../bson/types.ts";
import { nullValue, undefinedValue, type Value } from "../bson/value.ts";
import { elementsOf, getField } from "../bson/walk.ts";
import type { IndexField, IndexSpecification } from "../catalog/index-specification.ts";
import { type Collation, equalityKeys } from "../query/collation.ts";
import { pathKey, wildcardValues } from "./wildcard-keys.ts";
import { refuseBadId } from "../update/document-id.ts";

/** Most keys one document may have in an index; the product of its arrays. */
const keysMax = 100_000;

/**
 * Keys of a document in an index, each once; none when a sparse or partial index leaves it out. Throws 171 CannotIndexParallelArrays, and 16766 for an array in a
 * hashed field.
 */
export function indexKeys(
  index: Pick<IndexSpecification, "fields" | "sparse" | "partial" | "collation" | "wildcard">,
  document: Uint8Array,
): Uint8Array[] {
  const { collation } = index;
  if (index.partial?.matches(document) === false) return [];
  if (index.wildcard !== undefined) return wildcardKeys(document, index.wildcard, collation);
  const values = index.fields.map((field) => fieldValues(document, field));
  if (index.sparse && values.every((field) => !field.exists)) return [];
  const [only] = values;
  if (values.length === 1 && only?.values.length === 1)
    return [fieldKey(only.values[0] as Value, index.fields[0] as IndexField, collation)];
  refuseParallelArrays(index.fields, values);
  if (values.some((field) => field.values.length > keysMax)) throw tooManyKeys();
  let keys: Uint8Array[][] = [[]];
  for (const [position, field] of values.entries()) {
    const encoded = mappedList(field.values, (value) =>
      fieldKey(value, index.fields[position] as IndexField, collation),
    );
    if (values.length === 1) return distinct(encoded);
    keys = keys.flatMap((key) => encoded.map((part) => [...key, part]));
    if (keys.length > keysMax) throw tooManyKeys();
  }
  return distinct(keys.map((parts) => Buffer.concat(parts)));
}

function wildcardKeys(document: Uint8Array, root: string, collation: Collation | undefined): Uint8Array[] {
  const found = wildcardValues(document, root, keysMax);
  if (found === undefined) throw tooManyKeys();
  const plain = { descending: false, hashed: false };
  return distinct(
    mappedList(found, ({ path, value }) => Buffer.concat([pathKey(path), fieldKey(value, plain, collation)])),
  );
}

/** The key of given values, one for each field. */
export function indexKey(
  fields: readonly IndexField[],
  values: readonly Value[],
  collation: Collation | undefined,
): Uint8Array {
  return Buffer.concat(values.map((value, position) => fieldKey(value, fields[position] as IndexField, collation)));
}

/** Whether two documents that are in an index with a collation have a key that is equal by it; texts that are not equal may be written alike. */
export function sharesKey(
  { fields, collation }: Pick<IndexSpecification, "fields" | "collation">,
  one: Uint8Array,
  other: Uint8Array,
): boolean {
  const textsOf = keyTexts(fields, collation);
  const known = new Set(textsOf(one));
  return textsOf(other).some((text) => known.has(text));
}

const noPart = new Uint8Array(0);

/** A function to texts that stand for the keys of a document, or for those that are written as `key`: equal for values that compare equal. */
export function keyTexts(
  fields: readonly IndexField[],
  collation: Collation | undefined,
): (document: Uint8Array, key?: Uint8Array) => readonly string[] {
  const textOfValue = equalityKeys(collation);
  return (document, key) => {
    let found: { readonly text: string; readonly end: number }[] = [{ text: "", end: 0 }];
    for (const field of fields) {
      const parts = mappedList(fieldValues(document, field).values, (value) => ({
        value,
        part: key === undefined ? noPart : fieldKey(value, field, collation),
      }));
      const next = found.flatMap(({ text, end }) =>
        parts
          .filter(({ part }) => key === undefined || equalBytes(part, key.subarray(end, end + part.length)))
          .map(({ value, part }) => {
            const more = textOfValue(value);
            return [`${text}\0${more.length}\0${more}`, end + part.length] as const;
          }),
      );
      found = Array.from(new Map(next), ([text, end]) => ({ text, end }));
    }
    return found.map(({ text }) => text);
  };
}

/** The values that give a document's key, one for each field of the index. */
export function keyValues(
  fields: readonly IndexField[],
  document: Uint8Array,
  key: Uint8Array,
  collation: Collation | undefined,
): readonly Value[] {
  let position = 0;
  return fields.map((field) => {
    // Each value's bytes end by themselves, so no other value's begin with them.
    const parts = fieldValues(document, field).values.map((value) => ({
      value,
      part: fieldKey(value, field, collation),
    }));
    const met = parts.find(({ part }) => compareBytes(part, key.subarray(position, position + part.length)) === 0);
    position += met?.part.length ?? 0;
    return met?.value ?? nullValue;
  });
}

function tooManyKeys(): EngineError {
  return new EngineError(67, "CannotCreateIndex", "a document has too many keys for an index");
}

function fieldKey(
  value: Value,
  { hashed, descending }: Pick<IndexField, "hashed" | "descending">,
  collation: Collation | undefined,
): Uint8Array {
  const keyOf = collation === undefined ? undefined : (text: string): string => collation.keyOf(text);
  return hashed ? hashedKey(encodeKey(value, keyOf)) : new KeyWriter(keyOf).value(value, descending).finish();
}

/** The key of a value in a hashed field, made of its key in an ordinary one. Values with one hash are told apart by the query. */
export function hashedKey(key: Uint8Array): Uint8Array {
  // The first byte is one that keys of values begin with too, below the ff that ends ranges.
  return Uint8Array.of(0x20, ...createHash("sha256").update(key).digest().subarray(0, 8));
}

/** The key of `_id`. Throws 53 InvalidIdField and 52 DollarPrefixedFieldName for what cannot be one. */
export function idKey(document: Uint8Array): Uint8Array {
  const id = getField(document, "_id");
  if (id === undefined) throw new EngineError(53, "InvalidIdField", "the document has no _id");
  refuseBadId(id);
  return encodeKey(id);
}

interface FieldValues {
  readonly values: readonly Value[];
  readonly exists: boolean;
  /** Whether there is an array, of however many elements, at the path's end or on the way. */
  readonly array: boolean;
}

function fieldValues(document: Uint8Array, { path, hashed }: IndexField): FieldValues {
  const values: Value[] = [];
  let exists = false;
  let array = false;
  const isPlain = path.segments.every(({ index }) => index === undefined);
  const visit: PathVisitor = (value, position) => {
    if (position !== -1 || value?.type === bsonType.array) array = true;
    if (value === undefined) values.push(nullValue);
    else {
      exists = true;
      if (hashed && value.type === bsonType.array)
        throw located(
          16_766,
          `hashed indexes do not currently support array values. Found array at path: ${path.text}`,
        );
      if (value.type !== bsonType.array) values.push(value);
      else {
        const elements = allElements(value);
        if (elements.length === 0) values.push(undefinedValue);
        else for (const element of elements) values.push(element);
      }
    }
    return false;
  };
  // An array that holds no documents, which nothing is visited below, is one all the same; unless a number in the path has picked an element.
  visitPath(document, 0, path, visit, (list, holds) => {
    if (isPlain) array = true;
    return elementsOf(list).some(holds);
  });
  // An array of documents on the way gives several values, and so several hashes, which is as bad.
  if (hashed && values.length > 1)
    throw located(16_766, `hashed indexes do not currently support array values. Found array at path: ${path.text}`);
  return { values: values.length === 0 ? [nullValue] : values, exists, array };
}

/** Two arrays would need every pair of their elements, which MongoDB refuses; two paths through one array are fine. */
function refuseParallelArrays(fields: readonly IndexField[], values: readonly FieldValues[]): void {
  const several = fields.filter((_field, position) => values[position]?.array === true);
  const roots = new Set(several.map((field) => field.path.segments[0]?.name));
  if (roots.size > 1)
    throw new EngineError(171, "CannotIndexParallelArrays", `cannot index parallel arrays [${[...roots].join("] [")}]`);
}

function distinct(keys: Uint8Array[]): Uint8Array[] {
  if (keys.length < 2) return keys;
  const sorted = sortedList(keys, compareBytes);
  return sorted.filter(
    (key, position) => position === 0 || compareBytes(key, sorted[position - 1] as Uint8Array) !== 0,
  );
}
