import { arrayValue, DocumentBuilder } from "../bson/builder.ts";
import { isTruthy } from "../bson/numbers.ts";
import { bsonType } from "../bson/types.ts";
import { documentValue, nullValue, type Value, wholeNumberOf } from "../bson/value.ts";
import { elementsOf, fieldsOf } from "../bson/walk.ts";
import { failedToParse } from "../engine-error.ts";

/** Elements an array may come to have by a difference, which names positions. */
const positionMax = 1_500_000;

/**
 * A document after what an update entry of an operation log says (`diff` of `{$v: 2, diff}`): `d` fields go, `u` fields have another value, `i` fields come to the end,
 * and `s` and a field's name stand before what happened within it; in arrays (`a: true`) `u` and `s` stand before positions, and `l` is the length. Throws 9 for what is no
 * difference. `again`: the document may be a later one, to which this and what followed has been done before; a part that does not fit it is passed over, since what came
 * later and is done again as well has put something else in its place.
 */
export function applyDifference(before: Uint8Array, difference: Uint8Array, again: boolean = false): Uint8Array {
  const deleted = new Set<string>();
  const updated = new Map<string, Value>();
  const inserted = new Map<string, Value>();
  const within = new Map<string, Value>();
  for (const { name, value } of fieldsOf(difference)) {
    if (name.startsWith("s") && name.length > 1) within.set(name.slice(1), value);
    else if (name === "d") for (const field of fieldsOf(objectOf(value))) deleted.add(field.name);
    else if (name === "u") for (const field of fieldsOf(objectOf(value))) updated.set(field.name, field.value);
    else if (name === "i") for (const field of fieldsOf(objectOf(value))) inserted.set(field.name, field.value);
    else throw failedToParse(`a difference of a document cannot have the field '${name}'`);
  }
  const after = new DocumentBuilder();
  for (const { name, value } of fieldsOf(before)) {
    if (deleted.has(name) || inserted.has(name)) continue;
    const change = within.get(name);
    after.append(
      name,
      updated.get(name) ?? (change === undefined ? value : changedWithin(value, objectOf(change), again)),
    );
    updated.delete(name);
  }
  for (const [name, value] of [...updated, ...inserted]) after.append(name, value);
  return after.finish();
}

function changedWithin(value: Value, difference: Uint8Array, again: boolean): Value {
  const [first] = fieldsOf(difference);
  if (first?.name === "a" && isTruthy(first.value)) {
    if (value.type === bsonType.array) return changedArray(value, difference, again);
    if (again) return value;
    throw failedToParse("a difference of an array is for something else");
  }
  if (value.type === bsonType.object) return documentValue(applyDifference(value.bytes(), difference, again));
  if (again) return value;
  throw failedToParse("a difference of a document is for something else");
}

function changedArray(array: Value, difference: Uint8Array, again: boolean): Value {
  const elements = [...elementsOf(array)];
  for (const { name, value } of fieldsOf(difference)) {
    if (name === "a") continue;
    if (name === "l") {
      elements.length = Math.min(elements.length, positionOf(value));
      continue;
    }
    const position = /^[us]\d{1,7}$/.test(name) ? Number(name.slice(1)) : Number.NaN;
    if (!(position < positionMax)) throw failedToParse(`a difference of an array cannot have the field '${name}'`);
    while (elements.length < position) elements.push(nullValue);
    const old = elements[position];
    if (name.startsWith("u")) elements[position] = value;
    else if (old !== undefined) elements[position] = changedWithin(old, objectOf(value), again);
    else if (again) elements[position] = nullValue;
    else throw failedToParse("a difference is for an element that is not there");
  }
  return arrayValue(elements);
}

function positionOf(value: Value): number {
  const length = wholeNumberOf(value);
  if (length === undefined || length < 0) throw failedToParse("the length of an array has to be a whole number");
  return length;
}

function objectOf(value: Value): Uint8Array {
  if (value.type !== bsonType.object) throw failedToParse("a part of a difference has to be a document");
  return value.bytes();
}
