import { failedToParse, located } from "../../engine-error.ts";
import { mappedList } from "../../bson/arrays.ts";
import { bsonType, isNumberType } from "../../bson/types.ts";
import { int32Value, nullValue, type Value, wholeNumberOf } from "../../bson/value.ts";
import { emptyDocument } from "../../bson/builder.ts";
import { documentValue } from "../../bson/value.ts";
import { fieldCount, fieldsOfValue } from "../../bson/walk.ts";
import type { Expression } from "../context.ts";
import { ofPartition, type Partition, requireOneSortField, type WindowOperator } from "./window-function.ts";

/** A number for each document by its place in the order. */
function ranking(
  number: (partition: Partition, isTie: (index: number) => boolean) => readonly number[],
): WindowOperator {
  return (argument, place) => {
    if (argument.type !== bsonType.object || fieldCount(argument) > 0)
      throw located(5_371_603, `${place.name} must be specified with '{}' as the value`);
    if (place.bounds !== undefined) throw located(5_371_601, "Rank style window functions take no other arguments");
    requireOneSortField(place, 5_371_602);
    return ofPartition((partition) => {
      const { keys, compareKeys } = partition;
      const isTie = (index: number): boolean => {
        const [one, other] = [keys[index - 1], keys[index]];
        return one !== undefined && other !== undefined && compareKeys(one, other) === 0;
      };
      return number(partition, isTie).map(int32Value);
    });
  };
}

export const $documentNumber: WindowOperator = ranking(({ roots }) => roots.map((_root, index) => index + 1));

export const $rank: WindowOperator = ranking(({ roots }, isTie) => {
  let rank = 0;
  return roots.map((_root, index) => {
    if (!isTie(index)) rank = index + 1;
    return rank;
  });
});

export const $denseRank: WindowOperator = ranking(({ roots }, isTie) => {
  let rank = 0;
  return roots.map((_root, index) => {
    if (!isTie(index)) rank += 1;
    return rank;
  });
});

/** `{output, by, default}`: the value of the document so many places on. */
export const $shift: WindowOperator = (argument, place) => {
  if (argument.type !== bsonType.object) throw failedToParse("Argument to $shift must be an object");
  if (place.sort.length === 0) throw failedToParse("'$shift' requires a sortBy");
  if (place.bounds !== undefined) throw failedToParse("'$shift' does not accept a 'window' field");
  let output: Expression | undefined;
  let by: number | undefined;
  let otherwise: Value = nullValue;
  for (const { name, value } of fieldsOfValue(argument)) {
    if (name === "output") output = place.compile(value);
    else if (name === "by") {
      by = isNumberType(value.type) ? wholeNumberOf(value) : undefined;
      if (by === undefined) throw failedToParse("'$shift:by' field must be an integer");
    } else if (name === "default") {
      const fixed = place.compile(value);
      otherwise = fixed.constant ?? fixed(documentValue(emptyDocument)) ?? nullValue;
    } else throw failedToParse(`Unknown argument in $shift: ${name}`);
  }
  if (output === undefined) throw failedToParse("$shift requires an 'output' expression.");
  if (by === undefined) throw failedToParse("$shift requires 'by' as an integer value.");
  const [value, distance] = [output, by];
  return ofPartition(({ roots }) =>
    mappedList(roots, (_root, index) => {
      const other = roots[index + distance];
      return other === undefined ? otherwise : (value(other) ?? nullValue);
    }),
  );
};
