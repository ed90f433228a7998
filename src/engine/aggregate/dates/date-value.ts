import { located } from "../../engine-error.ts";
import { readInt32 } from "../../bson/bytes.ts";
import { bsonType } from "../../bson/types.ts";
import { int64Of, type Value } from "../../bson/value.ts";
import { typeOf } from "../operators/operator.ts";

/** Milliseconds since 1970 of what counts as a date: dates, timestamps and ObjectIds; undefined for other types. */
export function dateMsOf(value: Value): bigint | undefined {
  if (value.type === bsonType.date) return int64Of(value);
  if (value.type === bsonType.timestamp) return BigInt(readInt32(value.source, value.start + 4) >>> 0) * 1000n;
  if (value.type !== bsonType.objectId) return undefined;
  const bytes = value.bytes();
  const seconds = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
  return BigInt(seconds) * 1000n;
}

/** As `dateMsOf`. Throws 16006 for other types. */
export function requiredDateMs(value: Value): bigint {
  const timeMs = dateMsOf(value);
  if (timeMs === undefined) throw located(16_006, `can't convert from BSON type ${typeOf(value)} to Date`);
  return timeMs;
}
