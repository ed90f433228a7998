import { textBytes, writeInt32 } from "./bytes.ts";
import { bsonType } from "./types.ts";
import { Value } from "./value.ts";

/** Writes a document field by field; values are copied as bytes. */
export class DocumentBuilder {
  #bytes = new Uint8Array(256);
  #length = 4;

  append(name: string, value: Value): this {
    return this.appendBytes(textBytes(name), value);
  }

  appendBytes(name: Uint8Array, value: Value): this {
    const size = value.end - value.start;
    this.#reserve(2 + name.length + size);
    const bytes = this.#bytes;
    bytes[this.#length] = value.type;
    bytes.set(name, this.#length + 1);
    bytes[this.#length + 1 + name.length] = 0;
    this.#length += 2 + name.length;
    if (size > 0) bytes.set(value.bytes(), this.#length);
    this.#length += size;
    return this;
  }

  /** Bytes written so far, the document's frame included. */
  get sizeBytes(): number {
    return this.#length + 1;
  }

  /** The document. The builder must not be used afterwards. */
  finish(): Uint8Array {
    this.#reserve(1);
    this.#bytes[this.#length] = 0;
    writeInt32(this.#bytes, 0, this.#length + 1);
    return this.#bytes.slice(0, this.#length + 1);
  }

  #reserve(size: number): void {
    if (this.#length + size + 1 <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + size + 1));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }
}

/** A document of the given fields. */
export function buildDocument(fields: Iterable<readonly [string, Value]>): Uint8Array {
  const builder = new DocumentBuilder();
  for (const [name, value] of fields) builder.append(name, value);
  return builder.finish();
}

/** An array value; elements are named 0, 1, 2 as BSON arrays are. */
export function arrayValue(elements: Iterable<Value>): Value {
  const builder = new DocumentBuilder();
  let index = 0;
  for (const element of elements) {
    builder.append(String(index), element);
    index += 1;
  }
  return new Value(bsonType.array, builder.finish());
}

/** An embedded document of the given fields. */
export function objectValue(fields: Iterable<readonly [string, Value]>): Value {
  return new Value(bsonType.object, buildDocument(fields));
}

export const emptyDocument: Uint8Array = Uint8Array.of(5, 0, 0, 0, 0);
