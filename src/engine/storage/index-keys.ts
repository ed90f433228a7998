import { EngineError } from "../engine-error.ts";
import { compareBytes } from "../bson/bytes.ts";
import { encodeKey, KeyWriter } from "../bson/key.ts";
import { visitPath } from "../bson/path.ts";
import { bsonType } from "../bson/types.ts";
import { nullValue, undefinedValue, type Value } from "../bson/value.ts";
import { elementsOf, getField } from "../bson/walk.ts";
import type { IndexField, IndexSpecification } from "../catalog/index-specification.ts";
import { refuseBadId } from "../update/document-id.ts";

/** Most keys one document may have in an index; the product of its arrays. */
const keysMax = 100_000;

/** Keys of a document in an index, each once; none when a sparse index leaves it out. Throws 171 CannotIndexParallelArrays. */
export function indexKeys(index: Pick<IndexSpecification, "fields" | "sparse">, document: Uint8Array): Uint8Array[] {
  const values = index.fields.map((field) => fieldValues(document, field));
  if (index.sparse && values.every((field) => !field.exists)) return [];
  const [only] = values;
  if (values.length === 1 && only?.values.length === 1)
    return [new KeyWriter().value(only.values[0] as Value, index.fields[0]?.descending).finish()];
  refuseParallelArrays(index.fields, values);
  let keys: Uint8Array[][] = [[]];
  for (const [position, field] of values.entries()) {
    const encoded = field.values.map((value) =>
      new KeyWriter().value(value, index.fields[position]?.descending).finish(),
    );
    keys = keys.flatMap((key) => encoded.map((part) => [...key, part]));
    if (keys.length > keysMax)
      throw new EngineError(67, "CannotCreateIndex", "a document has too many keys for an index");
  }
  return distinct(keys.map((parts) => Buffer.concat(parts)));
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
}

function fieldValues(document: Uint8Array, { path }: IndexField): FieldValues {
  const values: Value[] = [];
  let exists = false;
  visitPath(document, 0, path, (value) => {
    if (value === undefined) values.push(nullValue);
    else {
      exists = true;
      if (value.type !== bsonType.array) values.push(value);
      else {
        const elements = elementsOf(value);
        if (elements.length === 0) values.push(undefinedValue);
        else for (const element of elements) values.push(element);
      }
    }
    return false;
  });
  return { values: values.length === 0 ? [nullValue] : values, exists };
}

/** Two arrays would need every pair of their elements, which MongoDB refuses; two paths through one array are fine. */
function refuseParallelArrays(fields: readonly IndexField[], values: readonly FieldValues[]): void {
  const several = fields.filter((_field, position) => (values[position]?.values.length ?? 0) > 1);
  const roots = new Set(several.map((field) => field.path.segments[0]?.name));
  if (roots.size > 1)
    throw new EngineError(171, "CannotIndexParallelArrays", `cannot index parallel arrays [${[...roots].join("] [")}]`);
}

function distinct(keys: Uint8Array[]): Uint8Array[] {
  if (keys.length < 2) return keys;
  const sorted = keys.toSorted(compareBytes);
  return sorted.filter(
    (key, position) => position === 0 || compareBytes(key, sorted[position - 1] as Uint8Array) !== 0,
  );
}
