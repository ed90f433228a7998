import { EngineError, located } from "../../engine-error.ts";
import { arrayValue } from "../../bson/builder.ts";
import { toNumber } from "../../bson/numbers.ts";
import { bsonType } from "../../bson/types.ts";
import { binaryOf, binaryValue, doubleValue, nullValue, textOf, type Value } from "../../bson/value.ts";
import { elementsOf, fieldsOfValue } from "../../bson/walk.ts";
import type { Expression } from "../context.ts";
import { isNumber, typeOf } from "../operators/operator.ts";
import { type AccumulatorOperator, type AccumulatorPlace, overRoots, type ValueAccumulator } from "./accumulator.ts";

/** `{input, p, method}` of `$percentile`, `{input, method}` of `$median`. */
export function parsePercentile(
  argument: Value,
  { name, compile }: Pick<AccumulatorPlace, "name" | "compile">,
  isMedian: boolean,
): { readonly input: Expression; readonly create: () => ValueAccumulator } {
  if (argument.type !== bsonType.object)
    throw located(
      isMedian ? 7_436_100 : 7_429_703,
      `specification must be an object; found ${name}: ${typeOf(argument)}`,
    );
  const given = new Map<string, Value>();
  for (const field of fieldsOfValue(argument)) {
    if (field.name !== "input" && field.name !== "method" && (isMedian || field.name !== "p"))
      throw new EngineError(40_415, "Location40415", `BSON field '${name}.${field.name}' is an unknown field.`);
    given.set(field.name, field.value);
  }
  for (const required of isMedian ? ["input", "method"] : ["input", "p", "method"])
    if (!given.has(required))
      throw new EngineError(
        40_414,
        "Location40414",
        `BSON field '${name}.${required}' is missing but a required field`,
      );
  const method = given.get("method") as Value;
  if (method.type !== bsonType.string || textOf(method) !== "approximate")
    throw new EngineError(2, "BadValue", "Currently only 'approximate' can be used as percentile 'method'.");
  const shares = isMedian ? [0.5] : sharesOf(given.get("p") as Value, compile);
  return {
    input: compile(given.get("input") as Value),
    create: () => new Percentiles(shares, isMedian),
  };
}

function sharesOf(value: Value, compile: (value: Value) => Expression): number[] {
  const list = compile(value).constant;
  if (list?.type !== bsonType.array || elementsOf(list).length === 0)
    throw located(
      7_750_300,
      "The $percentile 'p' field must be an array of numbers from [0.0, 1.0], but found a different value",
    );
  return elementsOf(list).map((share) => {
    const number = isNumber(share) ? toNumber(share) : Number.NaN;
    if (!(number >= 0 && number <= 1))
      throw located(7_750_303, "The $percentile 'p' field must be an array of numbers from [0.0, 1.0]");
    return number;
  });
}

/** Percentiles by nearest rank over all numbers, which is what the approximation comes near to. */
class Percentiles implements ValueAccumulator {
  readonly #shares: readonly number[];
  readonly #isMedian: boolean;
  readonly #numbers: number[] = [];

  constructor(shares: readonly number[], isMedian: boolean) {
    this.#shares = shares;
    this.#isMedian = isMedian;
  }

  add(value: Value | undefined): number {
    if (!isNumber(value)) return 0;
    const number = toNumber(value);
    if (Number.isNaN(number)) return 0;
    this.#numbers.push(number);
    return 8;
  }

  result(): Value {
    const ordered = Float64Array.from(this.#numbers).toSorted();
    const values = this.#shares.map((share) => {
      const number = ordered[Math.max(0, Math.ceil(ordered.length * share) - 1)];
      return number === undefined ? nullValue : doubleValue(number);
    });
    return this.#isMedian ? (values[0] ?? nullValue) : arrayValue(values);
  }

  save(): Iterable<Value> {
    return [binaryValue(new Uint8Array(Float64Array.from(this.#numbers).buffer))];
  }

  merge(saved: Value): number {
    const numbers = new Float64Array(binaryOf(saved).slice().buffer);
    for (const number of numbers) this.#numbers.push(number);
    return numbers.byteLength;
  }
}

function percentile(isMedian: boolean): AccumulatorOperator {
  return (argument, place) => {
    const { input, create } = parsePercentile(argument, place, isMedian);
    return () => {
      const inner = create();
      return overRoots(inner, input);
    };
  };
}

export const $median: AccumulatorOperator = percentile(true);
export const $percentile: AccumulatorOperator = percentile(false);
