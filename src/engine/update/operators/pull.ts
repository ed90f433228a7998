import { arrayOf, mappedList } from "../../bson/arrays.ts";
import type { Value } from "../../bson/value.ts";
import { compileElementMatch } from "../../query/filter.ts";
import { arrayElements, type OperatorChange, type UpdateOperator } from "./operator.ts";

/** `$pull`: removes elements equal to the argument, or fitting it when it is a condition. */
export const $pull: UpdateOperator = (argument, path, collation) =>
  removing(compileElementMatch(argument, collation), "$pull", path);

/** Keeps the elements that are not unwanted. */
export function removing(unwanted: (element: Value) => boolean, operator: string, path: string): OperatorChange {
  return (current) => {
    if (current === undefined) return undefined;
    const elements = arrayElements(current, operator, path);
    const isUnwanted = mappedList(elements, unwanted);
    const kept = elements.filter((_element, index) => isUnwanted[index] !== true);
    return kept.length === elements.length ? current : arrayOf(kept);
  };
}
