import { failedToParse, typeMismatch } from "../../engine-error.ts";
import { bsonType } from "../../bson/types.ts";
import { elementsOf } from "../../bson/walk.ts";
import { comparing, type Keyword } from "./rule.ts";
import { unorderedKey } from "./unordered.ts";

/** `enum`: equal to one of the values; the order of fields in documents does not count. */
export const enumKeyword: Keyword = (argument) => {
  if (argument.type !== bsonType.array) throw typeMismatch("$jsonSchema keyword 'enum' must be an array");
  const members = elementsOf(argument).map(unorderedKey);
  const known = new Set(members);
  if (members.length === 0) throw failedToParse("$jsonSchema keyword 'enum' cannot be an empty array");
  if (known.size < members.length)
    throw failedToParse("$jsonSchema keyword 'enum' array cannot contain duplicate values");
  return comparing("enum", argument, "value was not found in enum", (value) => known.has(unorderedKey(value)));
};
