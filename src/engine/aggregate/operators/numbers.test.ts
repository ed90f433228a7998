import { describe } from "node:test";
import { Decimal128, Double, Int32, Long } from "bson";
import { promise, refuse } from "../../../../test/support/expressions.ts";

const int = (value: number): Int32 => new Int32(value);
const long = (text: string): Long => Long.fromString(text);
const double = (value: number): Double => new Double(value);
const decimal = (text: string): Decimal128 => Decimal128.fromString(text);
const intMax = 2_147_483_647;
const longMax = "9223372036854775807";

describe("arithmetic keeps number types as MongoDB does", () => {
  promise([
    ["whole numbers of 32 bits stay so", { $add: [1, 2] }, int(3)],
    ["at the edge of 32 bits they still do", { $add: [intMax - 1, 1] }, int(intMax)],
    ["past 32 bits they grow to 64", { $add: [intMax, 1] }, long("2147483648")],
    ["at the edge of 64 bits they still fit", { $add: [long(longMax), 0] }, long(longMax)],
    ["past 64 bits they become doubles", { $add: [long(longMax), 1] }, double(9_223_372_036_854_775_808)],
    ["a product grows in the same way", { $multiply: [intMax, 2] }, long("4294967294")],
    [
      "a difference below 64 bits is a double",
      { $subtract: [long(`-${longMax}`), 10] },
      double(-9_223_372_036_854_775_808),
    ],
    ["a double makes a double", { $add: [1, double(2)] }, double(3)],
    ["a decimal makes a decimal", { $add: [1, decimal("0.10")] }, decimal("1.10")],
    ["doubles are summed without losing their ends", { $add: [0.1, 0.2, 0.3] }, double(0.6)],
    ["division is a double", { $divide: [4, 2] }, double(2)],
    ["the rest by a double that is whole is whole", { $mod: [7, new Double(4)] }, new Int32(3)],
    ["but a double's rest is a double", { $mod: [new Double(7), 4] }, new Double(3)],
    ["the rest of whole numbers is whole", { $mod: [7, long("4")] }, long("3")],
    ["negative zero is kept", { $multiply: [double(-0), 1] }, double(-0)],
    ["a date and a number make a date", { $add: [new Date(1000), 500] }, new Date(1500)],
    ["dates are apart by milliseconds", { $subtract: [new Date(1500), new Date(1000)] }, long("500")],
    ["nothing makes null", { $add: [1, "$missing"] }, null],
    ["rounding is to the even neighbour", { $round: [double(2.5)] }, double(2)],
    ["rounding to digits goes by what is stored", { $round: [double(2.675), 2] }, double(2.67)],
    ["cutting to digits too", { $trunc: [double(19.2), 1] }, double(19.1)],
    ["and what lies in the middle goes to the even digit", { $round: [double(19.25), 1] }, double(19.2)],
    ["rounding before the point", { $round: [1250, -2] }, int(1200)],
    ["cutting", { $trunc: [double(-7.89), 1] }, double(-7.8)],
    ["a whole power of whole numbers", { $pow: [2, 62] }, long("4611686018427387904")],
    ["a power past 64 bits is a double", { $pow: [2, 64] }, double(2 ** 64)],
    ["a root", { $sqrt: decimal("2") }, decimal("1.414213562373095048801688724209698")],
    ["a logarithm of a decimal to 34 digits", { $ln: decimal("10") }, decimal("2.302585092994045684017991454684364")],
    ["e to 34 digits", { $exp: decimal("1") }, decimal("2.718281828459045235360287471352662")],
    ["a cosine of a decimal to 34 digits", { $cos: decimal("1") }, decimal("0.5403023058681397174009366074429766")],
    ["an angle", { $atan2: [double(1), double(1)] }, double(Math.PI / 4)],
    ["bits", { $bitAnd: [12, long("10")] }, long("8")],
    ["bits turned", { $bitNot: 7 }, int(-8)],
  ]);
  refuse([
    [{ $divide: [1, 0] }, 2],
    [{ $mod: [1, 0] }, 16_610],
    [{ $add: [1, "a"] }, 14],
    [{ $add: [new Date(0), new Date(0)] }, 16_612],
    [{ $subtract: [1] }, 16_020],
    [{ $sqrt: -1 }, 28_714],
    [{ $log: [1, 1] }, 28_759],
    [{ $abs: long("-9223372036854775808") }, 28_680],
    [{ $round: [1, 101] }, 51_083],
    [{ $acos: 2 }, 50_989],
    [{ $bitOr: [1.5] }, 14],
  ]);
});

describe("accumulators as expressions", () => {
  promise([
    ["the sum of an array's numbers passes over the rest", { $sum: "$a" }, int(6), { a: [1, "x", 2, null, 3] }],
    ["an average is a double", { $avg: "$a" }, double(2), { a: [1, 2, 3] }],
    ["the greatest of several", { $max: ["$a", 7, 3] }, int(9), { a: 9 }],
    ["a standard deviation", { $stdDevSamp: "$a" }, double(1), { a: [1, 2, 3] }],
    ["one value has no sample deviation", { $stdDevSamp: [1] }, null],
    ["the greatest so many", { $maxN: { n: 2, input: "$a" } }, [int(9), int(5)], { a: [5, null, 9, 1] }],
    ["a median", { $median: { input: "$a", method: "approximate" } }, double(2), { a: [3, 1, 2] }],
  ]);
  refuse([
    [{ $firstN: { n: 0, input: [1] } }, 5_787_908],
    [{ $maxN: { n: 1.5, input: [1] } }, 5_787_903],
    [{ $median: { input: [1], method: "exact" } }, 2],
  ]);
});
