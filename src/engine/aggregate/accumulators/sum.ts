import { typeMismatch } from "../../engine-error.ts";
import { arrayValue } from "../../bson/builder.ts";
import { decimalValue, divideDecimals, exactDecimal } from "../../bson/decimal.ts";
import { toNumber } from "../../bson/numbers.ts";
import { bsonType, isNumberType } from "../../bson/types.ts";
import { doubleValue, int32Value, int64Value, nullValue, numberOf, type Value } from "../../bson/value.ts";
import { elementsOf, fieldCount } from "../../bson/walk.ts";
import { type AccumulatorOperator, over, type ValueAccumulator } from "./accumulator.ts";
import { NumberTotal } from "./number-total.ts";

/** `$sum`: what is no number is passed over. */
export class Sum implements ValueAccumulator {
  readonly #total = new NumberTotal();

  add(value: Value | undefined): number {
    if (value !== undefined && isNumberType(value.type)) this.#total.add(value);
    return 0;
  }

  result(): Value {
    return this.#total.result();
  }

  save(): Iterable<Value> {
    return [this.#total.save()];
  }

  merge(saved: Value): number {
    this.#total.merge(saved);
    return 0;
  }
}

/** `$avg`: a double or a decimal; null when there was no number. */
export class Average implements ValueAccumulator {
  readonly #total = new NumberTotal();
  #count = 0;

  add(value: Value | undefined): number {
    if (value !== undefined && isNumberType(value.type)) {
      this.#total.add(value);
      this.#count += 1;
    }
    return 0;
  }

  result(): Value {
    if (this.#count === 0) return nullValue;
    if (this.#total.isDecimal)
      return decimalValue(divideDecimals(this.#total.decimal, exactDecimal(BigInt(this.#count))));
    return doubleValue(this.#total.number / this.#count);
  }

  save(): Iterable<Value> {
    return [arrayValue([doubleValue(this.#count), this.#total.save()])];
  }

  merge(saved: Value): number {
    const [count, total] = elementsOf(saved) as [Value, Value];
    this.#count += numberOf(count);
    this.#total.merge(total);
    return 0;
  }
}

/** `$stdDevPop` and `$stdDevSamp` by Welford's method. */
export class StandardDeviation implements ValueAccumulator {
  readonly #sample: boolean;
  #count = 0;
  #mean = 0;
  #squares = 0;

  constructor(sample: boolean) {
    this.#sample = sample;
  }

  add(value: Value | undefined): number {
    if (value === undefined || !isNumberType(value.type)) return 0;
    const number = toNumber(value);
    this.#count += 1;
    const distance = number - this.#mean;
    this.#mean += distance / this.#count;
    this.#squares += distance * (number - this.#mean);
    return 0;
  }

  result(): Value {
    const divisor = this.#sample ? this.#count - 1 : this.#count;
    return divisor <= 0 ? nullValue : doubleValue(Math.sqrt(this.#squares / divisor));
  }

  save(): Iterable<Value> {
    return [arrayValue([this.#count, this.#mean, this.#squares].map(doubleValue))];
  }

  /** Chan's formula for two parts. */
  merge(saved: Value): number {
    const [count, mean, squares] = elementsOf(saved).map(numberOf) as [number, number, number];
    if (count === 0) return 0;
    const whole = this.#count + count;
    const distance = mean - this.#mean;
    this.#squares += squares + (distance * distance * this.#count * count) / whole;
    this.#mean = this.#count === 0 ? mean : this.#mean + (distance * count) / whole;
    this.#count = whole;
    return 0;
  }
}

export const $sum: AccumulatorOperator = over(() => new Sum());
export const $avg: AccumulatorOperator = over(() => new Average());
export const $stdDevPop: AccumulatorOperator = over(() => new StandardDeviation(false));
export const $stdDevSamp: AccumulatorOperator = over(() => new StandardDeviation(true));

/** `$count: {}`. */
export const $count: AccumulatorOperator = (argument) => {
  if (argument.type !== bsonType.object || fieldCount(argument) > 0)
    throw typeMismatch("$count takes no arguments, i.e. $count:{}");
  return () => {
    let count = 0;
    return {
      add: () => {
        count += 1;
        return 0;
      },
      result: () => (count <= 2_147_483_647 ? int32Value(count) : int64Value(BigInt(count))),
      save: () => [doubleValue(count)],
      merge: (saved) => {
        count += numberOf(saved);
        return 0;
      },
    };
  };
};
