import { badValue } from "../../engine-error.ts";
import { arrayOf, mappedList, sortedList } from "../../bson/arrays.ts";
import { emptyDocument } from "../../bson/builder.ts";
import { valueAtPath } from "../../bson/path.ts";
import { bsonType, isNumberType } from "../../bson/types.ts";
import { nullValue, type Value, wholeNumberOf } from "../../bson/value.ts";
import { fieldsOfValue } from "../../bson/walk.ts";
import { type Collation, valueOrder } from "../../query/collation.ts";
import { compareFields, parseSort } from "../../query/sort.ts";
import { eachOf, modifiersOf, wholeModifier } from "./each.ts";
import { arrayElements, type UpdateOperator } from "./operator.ts";

type Order = (elements: readonly Value[]) => readonly Value[];

/** `$push`: adds an element, or those of `$each` at `$position`, then orders by `$sort`, then keeps what `$slice` says. */
export const $push: UpdateOperator = (argument, path, collation) => {
  const modifiers = modifiersOf(argument);
  for (const name of modifiers?.keys() ?? [])
    if (!["$each", "$position", "$slice", "$sort"].includes(name))
      throw badValue(`Unrecognized clause in $push: ${name}`);
  const added = modifiers === undefined ? [argument] : eachOf(modifiers, "$push");
  const position = wholeModifier(modifiers, "$position");
  const slice = wholeModifier(modifiers, "$slice");
  const sort = modifiers?.get("$sort");
  const order = sort === undefined ? undefined : orderOf(sort, collation);
  return (current) => {
    const elements = arrayElements(current, "$push", path);
    const at =
      position === undefined ? elements.length : Math.max(position < 0 ? elements.length + position : position, 0);
    // `concat` and not a call with the elements as arguments, of which there can be too many.
    let result: readonly Value[] = elements.slice(0, at).concat(added, elements.slice(at));
    if (order !== undefined) result = order(result);
    if (slice !== undefined) result = slice >= 0 ? result.slice(0, slice) : result.slice(slice);
    return arrayOf(result);
  };
};

/** `$sort`: 1 or -1 for whole elements, or fields of them; fields are exact places, arrays on the way are not opened. */
function orderOf(sort: Value, collation: Collation | undefined): Order {
  const compare = valueOrder(collation);
  if (sort.type !== bsonType.object) {
    const direction = isNumberType(sort.type) ? wholeNumberOf(sort) : undefined;
    if (direction !== 1 && direction !== -1) throw badValue("The $sort element value must be either 1 or -1");
    return (elements) => sortedList(elements, (one, other) => direction * compare(one, other));
  }
  for (const { name, value } of fieldsOfValue(sort)) {
    const direction = isNumberType(value.type) ? wholeNumberOf(value) : undefined;
    if (direction !== 1 && direction !== -1) throw badValue("The $sort element value must be either 1 or -1");
    if (name === "" || name.split(".").includes("")) throw badValue("The $sort field cannot be empty");
  }
  const fields = parseSort(sort.bytes());
  if (fields.length === 0) throw badValue("The $sort pattern is empty when it should be a set of fields.");
  const keyOf = (element: Value): readonly Value[] => {
    const document = element.type === bsonType.object ? element.bytes() : emptyDocument;
    return fields.map((field) => valueAtPath(document, field.path) ?? nullValue);
  };
  return (elements) => {
    const keyed = mappedList(elements, (element) => ({ element, key: keyOf(element) }));
    const ordered = sortedList(keyed, (one, other) => compareFields(one.key, other.key, fields, compare));
    return ordered.map(({ element }) => element);
  };
}
