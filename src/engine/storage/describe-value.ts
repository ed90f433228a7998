import { toNumber } from "../bson/numbers.ts";
import { bsonType, isNumberType, typeName } from "../bson/types.ts";
import { boolOf, int64Of, textOf, type Value } from "../bson/value.ts";

/** A value in a message, as MongoDB shows it there; long ones are cut. */
export function describeValue(value: Value): string {
  if (value.type === bsonType.string) return JSON.stringify(textOf(value).slice(0, 200));
  if (value.type === bsonType.long) return int64Of(value).toString();
  if (value.type === bsonType.double && Number.isInteger(toNumber(value))) return toNumber(value).toFixed(1);
  if (isNumberType(value.type)) return String(toNumber(value));
  if (value.type === bsonType.bool) return String(boolOf(value));
  if (value.type === bsonType.null || value.type === bsonType.undefined) return typeName(value.type);
  if (value.type === bsonType.objectId) return `ObjectId('${Buffer.from(value.bytes()).toString("hex")}')`;
  if (value.type === bsonType.date) return `new Date(${int64Of(value)})`;
  return typeName(value.type);
}
