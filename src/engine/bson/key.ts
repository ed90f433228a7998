import { cstringEnd, readInt32, textBytes } from "./bytes.ts";
import { compareFinite, exactDecimal, finite, type FiniteDecimal, toDouble } from "./decimal.ts";
import { toExact } from "./numbers.ts";
import { bsonType, typeOrder } from "./types.ts";
import { int64Of, numberOf, textOf, type Value } from "./value.ts";
import { elementsOf, fieldsOfValue } from "./walk.ts";

/**
 * Writes values as bytes whose order under `memcmp` is the order of the values (manual, "Comparison/Sort Order"), and that are equal exactly when the values
 * compare equal: 1, 1.0 and NumberDecimal("1.00") give the same bytes. Each value ends by itself, so that compound keys are their values' bytes one
 * after the other; a descending one is written with every bit turned.
 */
export class KeyWriter {
  #bytes = new Uint8Array(64);
  #length = 0;
  readonly #keyOf: ((text: string) => string) | undefined;

  /** `keyOf`: what is written in the place of each string; its bytes if it is left out. */
  constructor(keyOf?: (text: string) => string) {
    this.#keyOf = keyOf;
  }

  value(value: Value, descending: boolean = false): this {
    const begin = this.#length;
    this.#append(value);
    if (descending)
      for (let index = begin; index < this.#length; index += 1) this.#bytes[index] = ~(this.#bytes[index] as number);
    return this;
  }

  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  #append(value: Value): void {
    this.#byte(typeOrder(value.type));
    switch (value.type) {
      case bsonType.int:
        return this.#double(numberOf(value));
      case bsonType.double:
        return this.#double(numberOf(value));
      case bsonType.long:
      case bsonType.decimal:
        return this.#number(value);
      case bsonType.string: {
        if (this.#keyOf === undefined) return this.#escaped(value.source, value.start + 4, value.end - 1);
        const text = textBytes(this.#keyOf(textOf(value)));
        return this.#escaped(text, 0, text.length);
      }
      case bsonType.symbol:
      case bsonType.javascript:
        return this.#escaped(value.source, value.start + 4, value.end - 1);
      case bsonType.object:
        return this.#object(value);
      case bsonType.array:
        for (const element of elementsOf(value)) this.#append(element);
        return this.#byte(0);
      case bsonType.binData:
        return this.#binary(value);
      case bsonType.objectId:
      case bsonType.bool:
        return this.#raw(value.source, value.start, value.end);
      case bsonType.date:
        return this.#uint64(BigInt.asUintN(64, int64Of(value) ^ (1n << 63n)));
      case bsonType.timestamp:
        return this.#uint64(BigInt.asUintN(64, int64Of(value)));
      case bsonType.regex: {
        const patternEnd = cstringEnd(value.source, value.start, value.end);
        this.#escaped(value.source, value.start, patternEnd);
        return this.#escaped(value.source, patternEnd + 1, value.end - 1);
      }
      case bsonType.dbPointer:
        this.#escaped(value.source, value.start + 4, value.end - 13);
        return this.#raw(value.source, value.end - 12, value.end);
      case bsonType.javascriptWithScope: {
        const codeEnd = value.start + 8 + readInt32(value.source, value.start + 4);
        this.#escaped(value.source, value.start + 8, codeEnd - 1);
        return this.#raw(value.source, codeEnd, value.end);
      }
      default:
    }
  }

  /** Fields in order: the type's place first, then the name, then the value, as MongoDB compares documents. */
  #object(value: Value): void {
    for (const field of fieldsOfValue(value)) {
      this.#byte(typeOrder(field.value.type));
      const name = textBytes(field.name);
      this.#escaped(name, 0, name.length);
      this.#append(field.value);
    }
    this.#byte(0);
  }

  #binary(value: Value): void {
    const length = value.end - value.start - 5;
    this.#byte(length >>> 24);
    this.#byte(length >>> 16);
    this.#byte(length >>> 8);
    this.#byte(length);
    this.#raw(value.source, value.start + 4, value.end);
  }

  /** A number that a double holds exactly: class, the double so that bytes order, and "nothing is missing". */
  #double(number: number): void {
    if (Number.isNaN(number)) return this.#byte(0x01);
    if (number === 0) return this.#byte(0x03);
    this.#byte(number < 0 ? 0x02 : 0x04);
    this.#magnitude(Math.abs(number), number < 0);
    this.#byte(number < 0 ? 0xff : 0x00);
  }

  /** Any number: the double next to it towards zero, then what is missing to the exact value. */
  #number(value: Value): void {
    const exact = toExact(value);
    if (exact.kind !== "finite") return this.#double(toDouble(exact));
    if (exact.coefficient === 0n) return this.#byte(0x03);
    const magnitude = finite(false, exact.coefficient, exact.exponent);
    const below = doubleBelow(magnitude);
    const rest = remainder(magnitude, below);
    this.#byte(exact.negative ? 0x02 : 0x04);
    this.#magnitude(below, exact.negative);
    const begin = this.#length;
    if (rest.coefficient === 0n) this.#byte(0x00);
    else this.#remainder(rest);
    if (exact.negative)
      for (let index = begin; index < this.#length; index += 1) this.#bytes[index] = ~(this.#bytes[index] as number);
  }

  #remainder(rest: FiniteDecimal): void {
    const digits = String(rest.coefficient).replace(/0+$/, "");
    const firstDigitExponent = String(rest.coefficient).length + rest.exponent + 0x8000;
    this.#byte(0x01);
    this.#byte(firstDigitExponent >> 8);
    this.#byte(firstDigitExponent);
    for (let index = 0; index < digits.length; index += 1) this.#byte(digits.charCodeAt(index));
    this.#byte(0x00);
  }

  #magnitude(magnitude: number, turned: boolean): void {
    view.setFloat64(0, magnitude);
    for (let index = 0; index < 8; index += 1) this.#byte(turned ? ~view.getUint8(index) : view.getUint8(index));
  }

  #uint64(value: bigint): void {
    view.setBigUint64(0, value);
    for (let index = 0; index < 8; index += 1) this.#byte(view.getUint8(index));
  }

  /** Text that may hold any byte: 00 becomes 00 ff, and 00 00 ends it. */
  #escaped(bytes: Uint8Array, start: number, end: number): void {
    this.#reserve((end - start) * 2 + 2);
    for (let position = start; position < end; position += 1) {
      const byte = bytes[position] as number;
      this.#bytes[this.#length] = byte;
      this.#length += 1;
      if (byte === 0) {
        this.#bytes[this.#length] = 0xff;
        this.#length += 1;
      }
    }
    this.#byte(0x00);
    this.#byte(0x00);
  }

  #raw(bytes: Uint8Array, start: number, end: number): void {
    this.#reserve(end - start);
    for (let position = start; position < end; position += 1) {
      this.#bytes[this.#length] = bytes[position] as number;
      this.#length += 1;
    }
  }

  #byte(byte: number): void {
    this.#reserve(1);
    this.#bytes[this.#length] = byte;
    this.#length += 1;
  }

  #reserve(size: number): void {
    if (this.#length + size <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + size));
    larger.set(this.#bytes);
    this.#bytes = larger;
  }
}

const view = new DataView(new ArrayBuffer(8));

/** The key of one value; with `keyOf` as the writer has it. */
export function encodeKey(value: Value, keyOf?: (text: string) => string): Uint8Array {
  return new KeyWriter(keyOf).value(value).finish();
}

/** The key of one value as text, for sets and maps: equal for values that compare equal, and for no others. */
export function keyText(value: Value): string {
  return Buffer.from(encodeKey(value)).toString("latin1");
}

/** The greatest double not above a positive number. */
function doubleBelow(magnitude: FiniteDecimal): number {
  const nearest = toDouble(magnitude);
  if (nearest === Number.POSITIVE_INFINITY) return Number.MAX_VALUE;
  const exact = exactDecimal(nearest) as FiniteDecimal;
  if (compareFinite(exact, magnitude) <= 0) return nearest;
  view.setFloat64(0, nearest);
  view.setBigUint64(0, view.getBigUint64(0) - 1n);
  return view.getFloat64(0);
}

function remainder(magnitude: FiniteDecimal, below: number): FiniteDecimal {
  const exact = exactDecimal(below) as FiniteDecimal;
  const exponent = Math.min(exact.exponent, magnitude.exponent);
  const scale = (decimal: FiniteDecimal): bigint => decimal.coefficient * 10n ** BigInt(decimal.exponent - exponent);
  return finite(false, scale(magnitude) - scale(exact), exponent);
}
