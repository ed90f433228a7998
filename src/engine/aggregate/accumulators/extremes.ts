import { nullValue, type Value } from "../../bson/value.ts";
import { bsonType } from "../../bson/types.ts";
import { type AccumulatorOperator, detached, over, sizeOf, type ValueAccumulator } from "./accumulator.ts";

/** The least (`sign` -1) or greatest (1) value; null, undefined and missing are passed over. */
export class Extreme implements ValueAccumulator {
  readonly #sign: number;
  readonly #compare: (one: Value, other: Value) => number;
  #best: Value | undefined;

  constructor(sign: number, compare: (one: Value, other: Value) => number) {
    this.#sign = sign;
    this.#compare = compare;
  }

  add(value: Value | undefined): number {
    if (value === undefined || value.type === bsonType.null || value.type === bsonType.undefined) return 0;
    if (this.#best !== undefined && this.#sign * this.#compare(value, this.#best) <= 0) return 0;
    const before = this.#best === undefined ? 0 : sizeOf(this.#best);
    this.#best = detached(value);
    return sizeOf(value) - before;
  }

  result(): Value {
    return this.#best ?? nullValue;
  }

  save(): Iterable<Value> {
    return [this.result()];
  }

  merge(saved: Value): number {
    return this.add(saved);
  }
}

export const $min: AccumulatorOperator = over(({ context }) => new Extreme(-1, context.compare));
export const $max: AccumulatorOperator = over(({ context }) => new Extreme(1, context.compare));
