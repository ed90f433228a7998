import { allElements } from "../bson/arrays.ts";
import { buildDocument, objectValue } from "../bson/builder.ts";
import { bsonType } from "../bson/types.ts";
import { falseValue, int32Value, trueValue, type Value } from "../bson/value.ts";
import { type Loop, looped } from "../steps.ts";
import { type Field, fieldsOf, fieldsOfValue } from "../bson/walk.ts";

/** Documents and arrays within each other that are compared; what lies deeper is told of whole. */
const depthMax = 100;

/**
 * What an update did, as an entry of the operation log says it: `{$v: 2, diff}`. `d` fields are deleted, `u` fields have another value, `i` fields come to the end, and
 * `s` and a field's name stand before what happened within it; in arrays (`a: true`) `l` is the new length and `u` and `s` stand before positions. Undefined when that
 * would not make the very bytes of `after` out of `before`: fields moved, names given twice. May be left by a pause where there are large arrays.
 */
export function differenceOf(before: Uint8Array, after: Uint8Array): Uint8Array | undefined {
  const parts = documentDifference([...fieldsOf(before)], [...fieldsOf(after)], 1);
  if (parts === undefined) return undefined;
  return buildDocument([
    ["$v", int32Value(2)],
    ["diff", objectValue(parts)],
  ]);
}

type Parts = readonly (readonly [string, Value])[];

function documentDifference(old: readonly Field[], now: readonly Field[], depth: number): Parts | undefined {
  const deleted: [string, Value][] = [];
  const updated: [string, Value][] = [];
  const within: [string, Value][] = [];
  let position = 0;
  for (const { name, value } of old) {
    const field = now[position];
    if (field?.name !== name) {
      deleted.push([name, falseValue]);
      continue;
    }
    position += 1;
    if (isSame(value, field.value)) continue;
    const inner = valueDifference(value, field.value, depth);
    if (inner === undefined) updated.push([name, field.value]);
    else within.push([`s${name}`, inner]);
  }
  const inserted = now.slice(position).map(({ name, value }) => [name, value] as const);
  if (isAmbiguous(now) || (deleted.length > 0 && isAmbiguous(old))) return undefined;
  if (inserted.length > 0 && deleted.length > 0) {
    const gone = new Set(deleted.map(([name]) => name));
    if (inserted.some(([name]) => gone.has(name))) return undefined;
  }
  const parts: [string, Value][] = [];
  if (deleted.length > 0) parts.push(["d", objectValue(deleted)]);
  if (updated.length > 0) parts.push(["u", objectValue(updated)]);
  if (inserted.length > 0) parts.push(["i", objectValue(inserted)]);
  return [...parts, ...within];
}

/** What happened within a document or an array; undefined where the value as it now is tells it better. */
function valueDifference(old: Value, now: Value, depth: number): Value | undefined {
  if (old.type !== now.type || depth === depthMax) return undefined;
  if (now.type === bsonType.object) {
    const parts = documentDifference([...fieldsOfValue(old)], [...fieldsOfValue(now)], depth + 1);
    return parts === undefined ? undefined : objectValue(parts);
  }
  if (now.type !== bsonType.array) return undefined;
  const parts = looped(differing, { old: allElements(old), now: allElements(now), depth: depth + 1 });
  const difference = objectValue(parts);
  // `a`, and one change: an element set, pushed, or the end cut off. More are told of one by one only when that is shorter.
  return parts.length <= 2 || sizeOf(difference) < sizeOf(now) ? difference : undefined;
}

interface Elements {
  readonly old: readonly Value[];
  readonly now: readonly Value[];
  readonly depth: number;
}

/** What happened within an array, element by element. */
const differing: Loop<Elements, Elements & { readonly parts: [string, Value][]; position: number }, Parts> = {
  begin: (elements) => ({
    ...elements,
    parts: [
      ["a", trueValue],
      ...(elements.now.length < elements.old.length ? [["l", int32Value(elements.now.length)] as [string, Value]] : []),
    ],
    position: 0,
  }),
  step: (state) => {
    const { old, now, depth, parts, position } = state;
    const [before, value] = [old[position], now[position]];
    if (value === undefined) return false;
    if (before === undefined || !isSame(before, value)) {
      const inner = before === undefined ? undefined : valueDifference(before, value, depth);
      parts.push(inner === undefined ? [`u${position}`, value] : [`s${position}`, inner]);
    }
    state.position += 1;
    return true;
  },
  end: ({ parts }) => parts,
};

const sizeOf = (value: Value): number => value.end - value.start;

function isSame(one: Value, other: Value): boolean {
  return one.type === other.type && Buffer.compare(one.bytes(), other.bytes()) === 0;
}

function isAmbiguous(fields: readonly Field[]): boolean {
  return new Set(fields.map(({ name }) => name)).size < fields.length;
}
