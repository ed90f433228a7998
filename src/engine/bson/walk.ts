import { cstringEnd, readInt32, readText, textBytes } from "./bytes.ts";
import { bsonType } from "./types.ts";
import { Value, valueLength } from "./value.ts";

/** A field of a document. */
export interface Field {
  readonly name: string;
  readonly value: Value;
}

/** Fields in order; duplicates are given as they stand. `start` is where the document begins in the bytes. */
export function* fieldsOf(bytes: Uint8Array, start: number = 0): Generator<Field> {
  const end = start + readInt32(bytes, start) - 1;
  let position = start + 4;
  while (position < end) {
    const type = bytes[position] as number;
    const nameEnd = cstringEnd(bytes, position + 1, end);
    const valueStart = nameEnd + 1;
    const valueEnd = valueStart + valueLength(type, bytes, valueStart);
    yield { name: readText(bytes, position + 1, nameEnd), value: new Value(type, bytes, valueStart, valueEnd) };
    position = valueEnd;
  }
}

/** Fields of a document or array value. */
export function fieldsOfValue(value: Value): Generator<Field> {
  return fieldsOf(value.source, value.start);
}

/** Elements of an array in stored order, without building names. */
export function elementsOf(array: Value): Value[] {
  const bytes = array.source;
  const end = array.start + readInt32(bytes, array.start) - 1;
  const elements: Value[] = [];
  let position = array.start + 4;
  while (position < end) {
    const type = bytes[position] as number;
    const valueStart = cstringEnd(bytes, position + 1, end) + 1;
    const valueEnd = valueStart + valueLength(type, bytes, valueStart);
    elements.push(new Value(type, bytes, valueStart, valueEnd));
    position = valueEnd;
  }
  return elements;
}

/** Reads an array element by element, where making all values at once would take too long. */
export class ElementReader {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  #position: number;

  constructor(array: Value) {
    this.#bytes = array.source;
    this.#end = array.start + readInt32(array.source, array.start) - 1;
    this.#position = array.start + 4;
  }

  next(): Value | undefined {
    if (this.#position >= this.#end) return undefined;
    const bytes = this.#bytes;
    const type = bytes[this.#position] as number;
    const valueStart = cstringEnd(bytes, this.#position + 1, this.#end) + 1;
    this.#position = valueStart + valueLength(type, bytes, valueStart);
    return new Value(type, bytes, valueStart, this.#position);
  }
}

/** How many fields there are. */
export function fieldCount(value: Value): number {
  const bytes = value.source;
  const end = value.start + readInt32(bytes, value.start) - 1;
  let count = 0;
  let position = value.start + 4;
  while (position < end) {
    const valueStart = cstringEnd(bytes, position + 1, end) + 1;
    position = valueStart + valueLength(bytes[position] as number, bytes, valueStart);
    count += 1;
  }
  return count;
}

/** A field's name prepared for `findField`. */
export function nameBytes(name: string): Uint8Array {
  return textBytes(name);
}

/** The first field of that name, without decoding any other. This is the inner loop of every scan. */
export function findField(bytes: Uint8Array, start: number, name: Uint8Array): Value | undefined {
  const end = start + readInt32(bytes, start) - 1;
  const nameLength = name.length;
  let position = start + 4;
  while (position < end) {
    const type = bytes[position] as number;
    position += 1;
    let index = 0;
    while (index < nameLength && bytes[position + index] === name[index]) index += 1;
    if (index === nameLength && bytes[position + index] === 0) {
      const valueStart = position + nameLength + 1;
      return new Value(type, bytes, valueStart, valueStart + valueLength(type, bytes, valueStart));
    }
    position += index;
    while (bytes[position] !== 0) position += 1;
    position += 1;
    position += type === bsonType.int ? 4 : type === bsonType.objectId ? 12 : valueLength(type, bytes, position);
  }
  return undefined;
}

/** The first field of that name, for code that is not in a loop over documents. */
export function getField(bytes: Uint8Array, name: string): Value | undefined {
  return findField(bytes, 0, textBytes(name));
}
