import { typeMismatch } from "../../engine-error.ts";
import { decimalValue, divideDecimals, exactDecimal } from "../../bson/decimal.ts";
import { toNumber } from "../../bson/numbers.ts";
import { bsonType, isNumberType } from "../../bson/types.ts";
import { doubleValue, int32Value, int64Value, nullValue, type Value } from "../../bson/value.ts";
import { fieldCount } from "../../bson/walk.ts";
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
    };
  };
};
