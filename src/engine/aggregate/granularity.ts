import { located, notSupported } from "../engine-error.ts";
import { toNumber } from "../bson/numbers.ts";
import { isNumberType } from "../bson/types.ts";
import { doubleValue, int32Value, type Value } from "../bson/value.ts";

/** Rounds to a series of preferred numbers (manual, "$bucketAuto", granularity). */
export interface Granularity {
  /** Throws 40258 to 40260 for values that have no place in a series. */
  check(value: Value): void;
  /** The next number of the series above a value. */
  up(value: Value): Value;
  /** The number of the series below a value. */
  down(value: Value): Value;
}

/** Numbers of one decade. */
const series: Readonly<Record<string, readonly number[]>> = {
  R5: [10, 16, 25, 40, 63],
  R10: [100, 125, 160, 200, 250, 315, 400, 500, 630, 800],
  R20: [100, 112, 125, 140, 160, 180, 200, 224, 250, 280, 315, 355, 400, 450, 500, 560, 630, 710, 800, 900],
  "1-2-5": [10, 20, 50],
  E6: [10, 15, 22, 33, 47, 68],
  E12: [10, 12, 15, 18, 22, 27, 33, 39, 47, 56, 68, 82],
  E24: [10, 11, 12, 13, 15, 16, 18, 20, 22, 24, 27, 30, 33, 36, 39, 43, 47, 51, 56, 62, 68, 75, 82, 91],
};

/** Throws 40257 for names nobody knows, 238 for series that are not built. */
export function granularityNamed(name: string): Granularity {
  if (name === "POWERSOF2")
    return { check, up: (value) => powerOfTwo(value, 1), down: (value) => powerOfTwo(value, -1) };
  const numbers = Object.hasOwn(series, name) ? series[name] : undefined;
  if (numbers === undefined) {
    if (["R40", "R80", "E48", "E96", "E192"].includes(name)) throw notSupported(`the granularity ${name}`);
    throw located(40_257, `Unknown rounding granularity '${name}'`);
  }
  return { check, up: (value) => preferred(value, numbers, 1), down: (value) => preferred(value, numbers, -1) };
}

function check(value: Value): void {
  if (!isNumberType(value.type))
    throw located(40_258, "$bucketAuto can specify a 'granularity' with numeric boundaries only");
  const number = toNumber(value);
  if (Number.isNaN(number))
    throw located(40_259, "$bucketAuto can specify a 'granularity' with numeric boundaries only, but found NaN");
  if (number < 0) throw located(40_260, "$bucketAuto can specify a 'granularity' with non-negative numbers only");
}

function preferred(value: Value, numbers: readonly number[], direction: 1 | -1): Value {
  const number = toNumber(value);
  if (number === 0 || !Number.isFinite(number)) return value;
  const first = numbers[0] as number;
  let power = Math.floor(Math.log10(number / first));
  const at = (index: number): number => (numbers[index] as number) * 10 ** power;
  if (direction === 1) {
    for (;;) {
      for (let index = 0; index < numbers.length; index += 1) if (at(index) > number) return doubleValue(at(index));
      power += 1;
    }
  }
  for (;;) {
    for (let index = numbers.length - 1; index >= 0; index -= 1) if (at(index) < number) return doubleValue(at(index));
    power -= 1;
  }
}

function powerOfTwo(value: Value, direction: 1 | -1): Value {
  const number = toNumber(value);
  if (number === 0 || !Number.isFinite(number)) return value;
  const exact = Math.log2(number);
  const result = 2 ** (direction === 1 ? Math.floor(exact) + 1 : Math.ceil(exact) - 1);
  return Number.isInteger(result) && result < 2 ** 31 ? int32Value(result) : doubleValue(result);
}
