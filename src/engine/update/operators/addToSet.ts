import { badValue } from "../../engine-error.ts";
import { arrayOf, mappedList } from "../../bson/arrays.ts";
import { equalityKeys } from "../../query/collation.ts";
import { eachOf, modifiersOf } from "./each.ts";
import { arrayElements, type UpdateOperator } from "./operator.ts";

/** `$addToSet`: adds an element, or those of `$each`, unless an equal one is there. */
export const $addToSet: UpdateOperator = (argument, path, collation) => {
  const modifiers = modifiersOf(argument);
  if (modifiers !== undefined && modifiers.size > 1) throw badValue("Found unexpected fields after $each in $addToSet");
  const candidates = modifiers === undefined ? [argument] : eachOf(modifiers, "$addToSet");
  return (current) => {
    const elements = arrayElements(current, "$addToSet", path);
    const keyOf = equalityKeys(collation);
    const known = new Set(mappedList(elements, keyOf));
    const keys = mappedList(candidates, keyOf);
    const added = candidates.filter((_candidate, index) => {
      const key = keys[index] as string;
      return !known.has(key) && known.add(key);
    });
    return current !== undefined && added.length === 0 ? current : arrayOf([...elements, ...added]);
  };
};
