import { buildDocument, objectValue } from "../bson/builder.ts";
import { falseValue, int32Value, type Value } from "../bson/value.ts";
import { type Field, fieldsOf } from "../bson/walk.ts";

/**
 * What an update did, as an entry of the operation log says it: `{$v: 2, diff: {d, u, i}}` with fields deleted, given another value, and put at the end. Undefined
 * when these do not make the very bytes of `after` out of `before` (fields moved, names given twice) or when `after` itself is no longer.
 */
export function differenceOf(before: Uint8Array, after: Uint8Array): Uint8Array | undefined {
  const old = [...fieldsOf(before)];
  const now = [...fieldsOf(after)];
  const deleted: [string, Value][] = [];
  const updated: [string, Value][] = [];
  let position = 0;
  let size = 0;
  for (const { name, value } of old) {
    const field = now[position];
    if (field?.name !== name) {
      deleted.push([name, falseValue]);
      continue;
    }
    position += 1;
    if (isSame(value, field.value)) continue;
    updated.push([name, field.value]);
    size += field.value.end - field.value.start;
    if (size >= after.length) return undefined;
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
  const difference = buildDocument([
    ["$v", int32Value(2)],
    ["diff", objectValue(parts)],
  ]);
  return difference.length < after.length ? difference : undefined;
}

function isSame(one: Value, other: Value): boolean {
  return one.type === other.type && Buffer.compare(one.bytes(), other.bytes()) === 0;
}

function isAmbiguous(fields: readonly Field[]): boolean {
  return new Set(fields.map(({ name }) => name)).size < fields.length;
}
