import { located } from "../engine-error.ts";
import { arrayValue } from "../bson/builder.ts";
import { compareValues } from "../bson/compare.ts";
import { decimalValue, divideDecimals } from "../bson/decimal.ts";
import { encodeKey } from "../bson/key.ts";
import { addNumbers, toDecimal, toNumber } from "../bson/numbers.ts";
import { bsonType, isNumberType } from "../bson/types.ts";
import { doubleValue, int32Value, nullValue, type Value } from "../bson/value.ts";

/** Takes the values of one group and gives their result. */
export interface Accumulator {
  add(value: Value | undefined): void;
  result(): Value;
  /** Bytes held, for the limit of a group. */
  readonly sizeBytes: number;
}

/** Makes accumulators of an operator. Throws 15952 for one that is not served. */
export function accumulatorNamed(name: string): () => Accumulator {
  const create = accumulators[name];
  if (create === undefined) throw located(15952, `unknown group operator '${name}'`);
  return create;
}

const valueSize = (value: Value): number => value.end - value.start + 16;

class Sum implements Accumulator {
  #total: Value = int32Value(0);
  readonly sizeBytes = 32;

  add(value: Value | undefined): void {
    // What is no number is passed over.
    if (value === undefined || !isNumberType(value.type)) return;
    this.#total = addNumbers(this.#total, value) ?? doubleValue(toNumber(this.#total) + toNumber(value));
  }

  result(): Value {
    return this.#total;
  }
}

class Average implements Accumulator {
  readonly #sum = new Sum();
  #count = 0;
  readonly sizeBytes = 48;

  add(value: Value | undefined): void {
    if (value === undefined || !isNumberType(value.type)) return;
    this.#sum.add(value);
    this.#count += 1;
  }

  result(): Value {
    if (this.#count === 0) return nullValue;
    const total = this.#sum.result();
    if (total.type === bsonType.decimal)
      return decimalValue(divideDecimals(toDecimal(total), toDecimal(int32Value(this.#count))));
    return doubleValue(toNumber(total) / this.#count);
  }
}

class Extreme implements Accumulator {
  readonly #sign: number;
  #best: Value | undefined;

  constructor(sign: number) {
    this.#sign = sign;
  }

  add(value: Value | undefined): void {
    if (value === undefined || value.type === bsonType.null || value.type === bsonType.undefined) return;
    if (this.#best === undefined || this.#sign * compareValues(value, this.#best) > 0) this.#best = value;
  }

  result(): Value {
    return this.#best ?? nullValue;
  }

  get sizeBytes(): number {
    return this.#best === undefined ? 16 : valueSize(this.#best);
  }
}

class First implements Accumulator {
  #value: Value | undefined;
  #seen = false;

  add(value: Value | undefined): void {
    if (this.#seen) return;
    this.#seen = true;
    this.#value = value;
  }

  result(): Value {
    return this.#value ?? nullValue;
  }

  get sizeBytes(): number {
    return this.#value === undefined ? 16 : valueSize(this.#value);
  }
}

class Last implements Accumulator {
  #value: Value | undefined;

  add(value: Value | undefined): void {
    this.#value = value;
  }

  result(): Value {
    return this.#value ?? nullValue;
  }

  get sizeBytes(): number {
    return this.#value === undefined ? 16 : valueSize(this.#value);
  }
}

class Push implements Accumulator {
  readonly #values: Value[] = [];
  sizeBytes = 16;

  add(value: Value | undefined): void {
    if (value === undefined) return;
    this.#values.push(value);
    this.sizeBytes += valueSize(value);
  }

  result(): Value {
    return arrayValue(this.#values);
  }
}

class AddToSet implements Accumulator {
  readonly #values = new Map<string, Value>();
  sizeBytes = 16;

  add(value: Value | undefined): void {
    if (value === undefined) return;
    const key = Buffer.from(encodeKey(value)).toString("latin1");
    if (this.#values.has(key)) return;
    this.#values.set(key, value);
    this.sizeBytes += valueSize(value) + key.length;
  }

  result(): Value {
    return arrayValue(this.#values.values());
  }
}

const accumulators: Readonly<Record<string, () => Accumulator>> = {
  $sum: () => new Sum(),
  $avg: () => new Average(),
  $min: () => new Extreme(-1),
  $max: () => new Extreme(1),
  $first: () => new First(),
  $last: () => new Last(),
  $push: () => new Push(),
  $addToSet: () => new AddToSet(),
};
