import { buildDocument } from "../../bson/builder.ts";
import { keyText } from "../../bson/key.ts";
import { bsonType } from "../../bson/types.ts";
import { Value } from "../../bson/value.ts";
import { fieldsOfValue } from "../../bson/walk.ts";

/** A text that is equal for equal values, whatever the order of fields in documents. */
export function unorderedKey(value: Value): string {
  return keyText(ordered(value));
}

function ordered(value: Value): Value {
  if (value.type !== bsonType.object && value.type !== bsonType.array) return value;
  const fields = Array.from(fieldsOfValue(value), (field) => [field.name, ordered(field.value)] as const);
  const sorted =
    value.type === bsonType.array
      ? fields
      : fields.toSorted(([one], [other]) => (one < other ? -1 : Number(one > other)));
  return new Value(value.type, buildDocument(sorted));
}
