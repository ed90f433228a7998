import { cstringEnd, readInt32, writeInt32 } from "../bson/bytes.ts";
import { type Value, valueLength } from "../bson/value.ts";

/** A field of a document itself, and what it becomes: undefined takes it away. */
export interface FieldChange {
  readonly name: Uint8Array;
  readonly value: Value | undefined;
}

/**
 * The document with some fields changed where they stand, and new ones behind all others in the order given. What is not changed is copied in stretches, without
 * looking into it. Of duplicate names the first is meant.
 */
export function withChangedFields(document: Uint8Array, changes: readonly FieldChange[]): Uint8Array {
  const end = readInt32(document, 0) - 1;
  const met = changes.map(() => false);
  const pieces: (Uint8Array | FieldChange)[] = [];
  let size = 5;
  let copied = 4;
  for (let position = 4; position < end;) {
    const nameEnd = cstringEnd(document, position + 1, end);
    const next = nameEnd + 1 + valueLength(document[position] as number, document, nameEnd + 1);
    const which = changes.findIndex(({ name }, index) => !met[index] && isName(document, position + 1, nameEnd, name));
    const change = changes[which];
    if (change !== undefined) {
      met[which] = true;
      if (position > copied) pieces.push(document.subarray(copied, position));
      size += position - copied;
      copied = next;
      if (change.value !== undefined) size += add(pieces, change);
    }
    position = next;
  }
  if (end > copied) pieces.push(document.subarray(copied, end));
  size += end - copied;
  for (const [index, change] of changes.entries())
    if (met[index] !== true && change.value !== undefined) size += add(pieces, change);
  return joined(pieces, size);
}

function add(pieces: (Uint8Array | FieldChange)[], change: FieldChange): number {
  pieces.push(change);
  const { name, value } = change;
  return 2 + name.length + (value === undefined ? 0 : value.end - value.start);
}

function joined(pieces: readonly (Uint8Array | FieldChange)[], size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  writeInt32(bytes, 0, size);
  let position = 4;
  for (const piece of pieces) {
    if (piece instanceof Uint8Array) {
      bytes.set(piece, position);
      position += piece.length;
    } else if (piece.value !== undefined) {
      const { name, value } = piece;
      bytes[position] = value.type;
      bytes.set(name, position + 1);
      position += 2 + name.length;
      if (value.end > value.start) bytes.set(value.bytes(), position);
      position += value.end - value.start;
    }
  }
  return bytes;
}

function isName(document: Uint8Array, start: number, end: number, name: Uint8Array): boolean {
  if (end - start !== name.length) return false;
  for (let index = 0; index < name.length; index += 1) if (document[start + index] !== name[index]) return false;
  return true;
}
