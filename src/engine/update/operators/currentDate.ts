import { badValue } from "../../engine-error.ts";
import { bsonType, typeName } from "../../bson/types.ts";
import { dateValue, textOf, timestampValue, type Value } from "../../bson/value.ts";
import { fieldsOfValue } from "../../bson/walk.ts";
import type { UpdateOperator } from "./operator.ts";

/** `$currentDate`: the moment as a date, or as a timestamp for `{$type: "timestamp"}`. */
export const $currentDate: UpdateOperator = (argument) =>
  wanted(argument) === "date"
    ? (_current, { nowMs }) => dateValue(BigInt(nowMs))
    : (_current, { nowMs }) => timestampValue(Math.floor(nowMs / 1000), 1);

function wanted(argument: Value): "date" | "timestamp" {
  if (argument.type === bsonType.bool) return "date";
  if (argument.type !== bsonType.object)
    throw badValue(
      `${typeName(argument.type)} is not valid type for $currentDate. Please use a boolean ('true') or a $type expression ({$type: 'timestamp/date'}).`,
    );
  const fields = [...fieldsOfValue(argument)];
  for (const { name } of fields) if (name !== "$type") throw badValue(`Unrecognized $currentDate option: ${name}`);
  const type = fields[0]?.value;
  const text = type?.type === bsonType.string ? textOf(type) : "";
  if (text !== "date" && text !== "timestamp")
    throw badValue(
      "The '$type' string field is required to be 'date' or 'timestamp': {$currentDate: {field : {$type: 'date'}}}",
    );
  return text;
}
