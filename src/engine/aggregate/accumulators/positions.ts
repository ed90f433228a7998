import { nullValue, type Value } from "../../bson/value.ts";
import { type AccumulatorOperator, detached, over, sizeOf, type ValueAccumulator } from "./accumulator.ts";

class First implements ValueAccumulator {
  #value: Value = nullValue;
  #seen = false;

  add(value: Value | undefined): number {
    if (this.#seen) return 0;
    this.#seen = true;
    this.#value = detached(value ?? nullValue);
    return sizeOf(this.#value);
  }

  result(): Value {
    return this.#value;
  }

  save(): Iterable<Value> {
    return [this.#value];
  }

  merge(saved: Value): number {
    return this.add(saved);
  }
}

class Last implements ValueAccumulator {
  #value: Value = nullValue;

  add(value: Value | undefined): number {
    const before = sizeOf(this.#value);
    this.#value = detached(value ?? nullValue);
    return sizeOf(this.#value) - before;
  }

  result(): Value {
    return this.#value;
  }

  save(): Iterable<Value> {
    return [this.#value];
  }

  merge(saved: Value): number {
    return this.add(saved);
  }
}

export const $first: AccumulatorOperator = over(() => new First());
export const $last: AccumulatorOperator = over(() => new Last());
