import { bsonType } from "../bson/types.ts";
import { decimalOf } from "../bson/decimal.ts";
import { decimalText } from "./decimal-text.ts";
import { int64Of, numberOf, textOf, type Value } from "../bson/value.ts";
import { readInt32 } from "../bson/bytes.ts";
import { isoText } from "./dates/calendar.ts";
import { formatDate } from "./dates/format.ts";
import { utc } from "./dates/zone.ts";

/** A double as MongoDB writes it in texts, which is `%.16g` of C: 16 significant digits, an exponent below 1e-4 and from 1e16 on. */
export function doubleText(number: number): string {
  if (Number.isNaN(number)) return "NaN";
  if (!Number.isFinite(number)) return number > 0 ? "Infinity" : "-Infinity";
  if (number === 0) return Object.is(number, -0) ? "-0" : "0";
  const exponent = Number(number.toExponential(15).split("e")[1]);
  if (exponent < -4 || exponent >= 16) {
    const [digits = "", power = ""] = number.toExponential(15).split("e");
    const sign = power.startsWith("-") ? "-" : "+";
    return `${trimZeros(digits)}e${sign}${power.slice(1).padStart(2, "0")}`;
  }
  return trimZeros(number.toFixed(Math.max(0, Math.min(100, 15 - exponent))));
}

function trimZeros(digits: string): string {
  return digits.includes(".") ? digits.replace(/\.?0+$/, "") : digits;
}

/** A value as text where operators take more than strings; undefined for types that have none. */
export function textForm(value: Value): string | undefined {
  switch (value.type) {
    case bsonType.string:
    case bsonType.symbol:
    case bsonType.javascript:
      return textOf(value);
    case bsonType.int:
      return String(numberOf(value));
    case bsonType.long:
      return String(int64Of(value));
    case bsonType.double:
      return doubleText(numberOf(value));
    case bsonType.decimal:
      return decimalText(decimalOf(value));
    case bsonType.date:
      return isoText(int64Of(value));
    case bsonType.timestamp:
      return timestampText(readInt32(value.source, value.start + 4) >>> 0, readInt32(value.source, value.start) >>> 0);
    default:
      return undefined;
  }
}

/** `Dec 25 18:02:06:000`: month, day, time, and the counter within the second. */
function timestampText(seconds: number, increment: number): string {
  return formatDate(seconds * 1000, `%b %d %H:%M:%S:${String(increment).padStart(3, "0")}`, utc);
}
