import { buildDocument } from "../bson/builder.ts";
import { compareValues } from "../bson/compare.ts";
import { isTruthy, toNumber } from "../bson/numbers.ts";
import { bsonType, isNumberType, typeOrder } from "../bson/types.ts";
import type { Value } from "../bson/value.ts";
import { elementsOf, fieldsOf, fieldsOfValue } from "../bson/walk.ts";
import { holdsText } from "../query/collation.ts";
import type { Filter } from "../query/filter.ts";
import { isOperatorDocument } from "../query/operators/operator.ts";
import { typesOf } from "../query/operators/type.ts";

/** One condition on a path. */
interface Predicate {
  readonly path: string;
  readonly operator: string;
  readonly argument: Value;
}

/**
 * Whether every document that a query finds is one that a partial index has (manual, "Partial Indexes"). Answers true only for what follows from single conditions: a
 * query that means the same in other words is not seen, and the index is not used for it.
 */
export function implies(query: Filter, partial: Filter): boolean {
  const sameText = query.collation?.name === partial.collation?.name;
  return documentImplies(query.query, partial.query, sameText);
}

function documentImplies(query: Uint8Array, wanted: Uint8Array, sameText: boolean): boolean {
  const given = predicatesOf(query);
  return [...fieldsOf(wanted)].every(({ name, value }) => {
    if (name === "$comment") return true;
    if (name === "$and") return clausesOf(value).every((clause) => documentImplies(query, clause, sameText));
    if (name === "$or" && clausesOf(value).some((clause) => documentImplies(query, clause, sameText))) return true;
    const each = name === "$or" ? [] : conditionsOf(name, value);
    const single =
      each.length > 0 &&
      each.every((one) => {
        if (!sameText && holdsText(one.argument)) return false;
        return given.some((other) => other.path === one.path && predicateImplies(other, one));
      });
    // A disjunction implies what each of its branches does, together with all that stands beside it.
    return single || alternativesImply(query, name, value, sameText);
  });
}

function alternativesImply(query: Uint8Array, name: string, value: Value, sameText: boolean): boolean {
  const wanted = onlyField(name, value);
  return [...fieldsOf(query)].some(
    (field) =>
      field.name === "$or" &&
      clausesOf(field.value).length > 0 &&
      clausesOf(field.value).every((clause) => documentImplies(clause, wanted, sameText)),
  );
}

function onlyField(name: string, value: Value): Uint8Array {
  return buildDocument([[name, value]]);
}

function clausesOf(value: Value): Uint8Array[] {
  return value.type === bsonType.array ? elementsOf(value).map((clause) => clause.bytes()) : [];
}

/** Conditions that all must hold. */
function predicatesOf(query: Uint8Array): Predicate[] {
  return [...fieldsOf(query)].flatMap(({ name, value }) => {
    if (name === "$and") return clausesOf(value).flatMap(predicatesOf);
    return name.startsWith("$") ? [] : conditionsOf(name, value);
  });
}

function conditionsOf(path: string, value: Value): Predicate[] {
  if (!isOperatorDocument(value))
    return [{ path, operator: value.type === bsonType.regex ? "$regex" : "$eq", argument: value }];
  return Array.from(fieldsOfValue(value), ({ name, value: argument }) => ({ path, operator: name, argument }));
}

/** Whether a condition follows from another on the same path. */
function predicateImplies(given: Predicate, wanted: Predicate): boolean {
  if (given.operator === "$in" && given.argument.type === bsonType.array) {
    const members = elementsOf(given.argument);
    return (
      members.length > 0 &&
      members.every((argument) =>
        predicateImplies({ ...given, operator: argument.type === bsonType.regex ? "$regex" : "$eq", argument }, wanted),
      )
    );
  }
  switch (wanted.operator) {
    case "$exists":
      return isTruthy(wanted.argument) && requiresValue(given);
    case "$eq":
      return given.operator === "$eq" && compareValues(given.argument, wanted.argument) === 0;
    case "$in":
      return (
        given.operator === "$eq" &&
        elementsOf(wanted.argument).some((member) => compareValues(given.argument, member) === 0)
      );
    case "$type": {
      const types = typesOf(wanted.argument);
      if (given.operator === "$type") return typesOf(given.argument).every((type) => types.includes(type));
      return given.operator === "$eq" && given.argument.type !== bsonType.null && types.includes(given.argument.type);
    }
    default:
      return comparisonImplies(given, wanted);
  }
}

function comparisonImplies(given: Predicate, wanted: Predicate): boolean {
  const [one, other] = [given.argument, wanted.argument];
  if (one.type === bsonType.null || other.type === bsonType.null) return false;
  if (typeOrder(one.type) !== typeOrder(other.type)) return false;
  // NaN has a place in the order of numbers, and is in no range of them.
  if (
    [one, other].some(({ type }) => isNumberType(type)) &&
    [one, other].some((value) => Number.isNaN(toNumber(value)))
  )
    return false;
  const order = compareValues(one, other);
  switch (wanted.operator) {
    case "$gt":
      return order > 0 ? ["$eq", "$gt", "$gte"].includes(given.operator) : order === 0 && given.operator === "$gt";
    case "$gte":
      return order >= 0 && ["$eq", "$gt", "$gte"].includes(given.operator);
    case "$lt":
      return order < 0 ? ["$eq", "$lt", "$lte"].includes(given.operator) : order === 0 && given.operator === "$lt";
    case "$lte":
      return order <= 0 && ["$eq", "$lt", "$lte"].includes(given.operator);
    default:
      return false;
  }
}

/** Whether a condition is met by no document that lacks the path. */
function requiresValue({ operator, argument }: Predicate): boolean {
  switch (operator) {
    case "$eq":
    case "$gt":
    case "$gte":
    case "$lt":
    case "$lte":
      return argument.type !== bsonType.null;
    case "$exists":
      return isTruthy(argument);
    case "$type":
    case "$regex":
    case "$size":
    case "$mod":
    case "$elemMatch":
      return true;
    default:
      return false;
  }
}
