import { EngineError } from "../engine-error.ts";
import { textBytes, writeInt32 } from "./bytes.ts";
import { bsonType } from "./types.ts";
import { Value } from "./value.ts";

/** Bytes that a value made on the way to a document may take; a document itself may take far fewer. */
const valueMaxBytes = 128 * 1024 * 1024;

/** Buffers of builders that are done, for those to come: to make one costs more than to fill it. */
const spare: Uint8Array[] = [];
const spareMax = 32;
const spareBytes = 1024;
const nothing = new Uint8Array(0);

/** Writes a document field by field; values are copied as bytes. */
export class DocumentBuilder {
  #bytes: Uint8Array;
  #length = 4;

  /** `sizeBytes`: of the whole document, where it is known; what is large is then written without being copied. */
  constructor(sizeBytes: number = 0) {
    this.#bytes = sizeBytes > spareBytes ? new Uint8Array(sizeBytes) : (spare.pop() ?? new Uint8Array(spareBytes));
  }

  append(name: string, value: Value): this {
    const nameEnd = this.#length + 1 + name.length;
    this.#reserve(2 + name.length);
    const bytes = this.#bytes;
    // Most names are ASCII, and written without bytes of their own.
    for (let index = 0; index < name.length; index += 1) {
      const unit = name.charCodeAt(index);
      if (unit >= 0x80) return this.appendBytes(textBytes(name), value);
      bytes[this.#length + 1 + index] = unit;
    }
    const size = value.end - value.start;
    this.#reserve(2 + name.length + size);
    this.#bytes[this.#length] = value.type;
    this.#bytes[nameEnd] = 0;
    copyInto(this.#bytes, nameEnd + 1, value.source, value.start, size);
    this.#length = nameEnd + 1 + size;
    return this;
  }

  appendBytes(name: Uint8Array, value: Value): this {
    const size = value.end - value.start;
    this.#reserve(2 + name.length + size);
    const bytes = this.#bytes;
    bytes[this.#length] = value.type;
    copyInto(bytes, this.#length + 1, name, 0, name.length);
    bytes[this.#length + 1 + name.length] = 0;
    copyInto(bytes, this.#length + 2 + name.length, value.source, value.start, size);
    this.#length += 2 + name.length + size;
    return this;
  }

  /** Bytes written so far, the document's frame included. */
  get sizeBytes(): number {
    return this.#length + 1;
  }

  /** The document. The builder must not be used afterwards. */
  finish(): Uint8Array {
    this.#reserve(0);
    this.#bytes[this.#length] = 0;
    writeInt32(this.#bytes, 0, this.#length + 1);
    const bytes = this.#bytes;
    if (this.#length + 1 === bytes.length) return bytes;
    const document = bytes.slice(0, this.#length + 1);
    this.#bytes = nothing;
    if (bytes.length === spareBytes && spare.length < spareMax) spare.push(bytes);
    return document;
  }

  #reserve(size: number): void {
    if (this.#length + size + 1 <= this.#bytes.length) return;
    if (this.#length + size > valueMaxBytes)
      throw new EngineError(146, "ExceededMemoryLimit", `a value would take more than ${valueMaxBytes} bytes`);
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + size + 1));
    // What is written of a name that is not yet counted goes along.
    larger.set(this.#bytes);
    this.#bytes = larger;
  }
}

/** Copies bytes; for few of them a loop costs less than a call. */
function copyInto(target: Uint8Array, at: number, source: Uint8Array, start: number, size: number): void {
  if (size > 32) target.set(source.subarray(start, start + size), at);
  else for (let index = 0; index < size; index += 1) target[at + index] = source[start + index] as number;
}

/** A document of the given fields. */
export function buildDocument(fields: Iterable<readonly [string, Value]>): Uint8Array {
  const builder = new DocumentBuilder();
  for (const [name, value] of fields) builder.append(name, value);
  return builder.finish();
}

/** Writes an array; elements are named 0, 1, 2 as BSON arrays are. */
export class ArrayBuilder {
  readonly #builder: DocumentBuilder;
  #length = 0;
  /** The digits of the next name. */
  #name: Uint8Array = Uint8Array.of(0x30);

  /** `sizeBytes`: of the whole array, where it is known. */
  constructor(sizeBytes: number = 0) {
    this.#builder = new DocumentBuilder(sizeBytes);
  }

  get length(): number {
    return this.#length;
  }

  append(element: Value): this {
    this.#builder.appendBytes(this.#name, element);
    this.#length += 1;
    this.#countUp();
    return this;
  }

  /** The array. The builder must not be used afterwards. */
  finish(): Value {
    return new Value(bsonType.array, this.#builder.finish());
  }

  #countUp(): void {
    const name = this.#name;
    let place = name.length - 1;
    while (place >= 0 && name[place] === 0x39) {
      name[place] = 0x30;
      place -= 1;
    }
    if (place >= 0) name[place] = (name[place] as number) + 1;
    else this.#name = textBytes(String(this.#length));
  }
}

/** Bytes of an array of these elements; 0 where it would be more than a value may have. */
export function arraySizeOf(elements: readonly Value[]): number {
  let sizeBytes = 5;
  let digits = 1;
  let next = 10;
  for (const [index, { start, end }] of elements.entries()) {
    if (index === next) [digits, next] = [digits + 1, next * 10];
    sizeBytes += 2 + digits + end - start;
  }
  return sizeBytes > valueMaxBytes ? 0 : sizeBytes;
}

/** An array value. */
export function arrayValue(elements: Iterable<Value>): Value {
  const builder = new ArrayBuilder(Array.isArray(elements) ? arraySizeOf(elements as readonly Value[]) : 0);
  for (const element of elements) builder.append(element);
  return builder.finish();
}

/** An embedded document of the given fields. */
export function objectValue(fields: Iterable<readonly [string, Value]>): Value {
  return new Value(bsonType.object, buildDocument(fields));
}

export const emptyDocument: Uint8Array = Uint8Array.of(5, 0, 0, 0, 0);
