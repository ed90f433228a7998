import { badValue } from "../../engine-error.ts";
import { toNumber } from "../../bson/numbers.ts";
import { bsonType, isNumberType, typeNumbersByAlias } from "../../bson/types.ts";
import { textOf, type Value } from "../../bson/value.ts";
import { elementsOf } from "../../bson/walk.ts";
import { anyValueTest } from "../tests.ts";
import type { QueryOperator } from "./operator.ts";

/** `$type`: one type or any of several, by number or alias (manual, "$type"). */
export const $type: QueryOperator = (argument, { path }) => {
  const wanted = new Set(typesOf(argument));
  return anyValueTest(path, (stored) => wanted.has(stored.type), false);
};

/** Type bytes that an argument of `$type` names. */
export function typesOf(argument: Value): number[] {
  const types = (argument.type === bsonType.array ? elementsOf(argument) : [argument]).flatMap(typesNamed);
  if (types.length === 0) throw badValue("$type must match at least one type");
  return types;
}

const numberTypes = [bsonType.int, bsonType.long, bsonType.double, bsonType.decimal];

function typesNamed(value: Value): readonly number[] {
  if (value.type === bsonType.string) {
    const alias = textOf(value);
    if (alias === "number") return numberTypes;
    const type = Object.hasOwn(typeNumbersByAlias, alias) ? typeNumbersByAlias[alias] : undefined;
    if (type === undefined) throw badValue(`Unknown type name alias: ${alias}`);
    return [type];
  }
  if (!isNumberType(value.type)) throw badValue("type must be represented as a number or a string");
  const number = toNumber(value);
  const type = number === -1 ? bsonType.minKey : number;
  if (number === bsonType.minKey || !Object.values(bsonType).includes(type as never))
    throw badValue(`Invalid numerical type code: ${number}`);
  return [type];
}
