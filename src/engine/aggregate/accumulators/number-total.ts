import { arrayValue } from "../../bson/builder.ts";
import { addDecimals, type Decimal, decimalValue, exactDecimal } from "../../bson/decimal.ts";
import { toDecimal } from "../../bson/numbers.ts";
import { bsonType } from "../../bson/types.ts";
import {
  doubleValue,
  int32Value,
  int64Of,
  int64Value,
  numberOf,
  stringValue,
  textOf,
  type Value,
} from "../../bson/value.ts";
import { elementsOf } from "../../bson/walk.ts";

const int64Min = -(2n ** 63n);
const int64Max = 2n ** 63n - 1n;
/** Types of numbers, each of which takes those before. */
const breadths: readonly number[] = [bsonType.int, bsonType.long, bsonType.double, bsonType.decimal];
const zero: Decimal = { kind: "finite", negative: false, coefficient: 0n, exponent: 0 };

/**
 * Adds numbers up as MongoDB does (manual, "$sum"): whole numbers exactly, doubles with the error of each step carried along, decimals apart; the result has the
 * widest type that came in, and whole numbers grow from int32 to int64 to double.
 */
export class NumberTotal {
  /** Sum of whole numbers while it is exact in a double; the rest is in `#wide`. */
  #whole = 0;
  #wide = 0n;
  #double = 0;
  #lost = 0;
  #decimal: Decimal = zero;
  #widest: number = bsonType.int;
  /** Infinities and NaN, which error terms would spoil. */
  #special = 0;

  /** Adds a number of any type. */
  add(value: Value): void {
    switch (value.type) {
      case bsonType.int:
        return this.#addWhole(numberOf(value));
      case bsonType.long: {
        if (this.#widest === bsonType.int) this.#widest = bsonType.long;
        const number = int64Of(value);
        const small = Number(number);
        if (Number.isSafeInteger(small)) return this.#addWhole(small);
        this.#wide += number;
        return;
      }
      case bsonType.double:
        if (this.#widest !== bsonType.decimal) this.#widest = bsonType.double;
        return this.#addDouble(numberOf(value));
      default:
        this.#widest = bsonType.decimal;
        this.#decimal = addDecimals(this.#decimal, toDecimal(value));
    }
  }

  /** The sum as a double, decimals aside. */
  get number(): number {
    if (this.#special !== 0) return this.#special;
    if (this.#wide === 0n) return this.#double + (this.#lost + this.#whole);
    return this.#double + (this.#lost + Number(this.#wide + BigInt(this.#whole)));
  }

  get decimal(): Decimal {
    const whole = exactDecimal(this.#wide + BigInt(this.#whole));
    const doubles = toDecimal(doubleValue(this.#special === 0 ? this.#double + this.#lost : this.#special));
    const sum = addDecimals(this.#decimal, whole);
    return this.#double === 0 && this.#lost === 0 && this.#special === 0 ? sum : addDecimals(sum, doubles);
  }

  get isDecimal(): boolean {
    return this.#widest === bsonType.decimal;
  }

  result(): Value {
    if (this.#widest === bsonType.decimal) return decimalValue(this.decimal);
    if (this.#widest === bsonType.double) return doubleValue(this.number);
    const sum = this.#wide + BigInt(this.#whole);
    if (sum < int64Min || sum > int64Max) return doubleValue(Number(sum));
    const narrow = this.#widest === bsonType.int && sum >= -2_147_483_648n && sum <= 2_147_483_647n;
    return narrow ? int32Value(Number(sum)) : int64Value(sum);
  }

  save(): Value {
    return arrayValue([
      int32Value(this.#widest),
      doubleValue(this.#whole),
      stringValue(String(this.#wide)),
      doubleValue(this.#double),
      doubleValue(this.#lost),
      doubleValue(this.#special),
      decimalValue(this.#decimal),
    ]);
  }

  merge(saved: Value): void {
    const [widest, whole, wide, double, lost, special, decimal] = elementsOf(saved) as [
      Value,
      Value,
      Value,
      Value,
      Value,
      Value,
      Value,
    ];
    this.#addWhole(numberOf(whole));
    this.#wide += BigInt(textOf(wide));
    this.#addDouble(numberOf(double));
    this.#lost += numberOf(lost);
    if (numberOf(special) !== 0) this.#addDouble(numberOf(special));
    this.#decimal = addDecimals(this.#decimal, toDecimal(decimal));
    if (breadths.indexOf(numberOf(widest)) > breadths.indexOf(this.#widest)) this.#widest = numberOf(widest);
  }

  #addWhole(number: number): void {
    const sum = this.#whole + number;
    if (Number.isSafeInteger(sum)) this.#whole = sum;
    else {
      this.#wide += BigInt(this.#whole) + BigInt(number);
      this.#whole = 0;
    }
  }

  /** Neumaier's summation: what a step rounds off is kept. */
  #addDouble(number: number): void {
    if (!Number.isFinite(number)) {
      this.#special = this.#special === 0 ? number : this.#special + number;
      return;
    }
    const sum = this.#double + number;
    this.#lost +=
      Math.abs(this.#double) >= Math.abs(number) ? this.#double - sum + number : number - sum + this.#double;
    this.#double = sum;
  }
}
