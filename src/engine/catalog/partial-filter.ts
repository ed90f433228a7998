import { EngineError } from "../engine-error.ts";
import { isTruthy } from "../bson/numbers.ts";
import { bsonType } from "../bson/types.ts";
import type { Value } from "../bson/value.ts";
import { elementsOf, fieldsOf, fieldsOfValue } from "../bson/walk.ts";
import { isOperatorDocument } from "../query/operators/operator.ts";

/** What a partial index may be asked to hold (manual, "Partial Indexes"). */
const operators = new Set(["$eq", "$exists", "$gt", "$gte", "$in", "$lt", "$lte", "$type"]);

/** Throws 67 CannotCreateIndex for conditions that a partial index may not have. */
export function refuseUnfitForPartial(expression: Uint8Array): void {
  for (const { name, value } of fieldsOf(expression)) {
    if (name === "$and" || name === "$or") {
      for (const clause of value.type === bsonType.array ? elementsOf(value) : [])
        if (clause.type === bsonType.object) refuseUnfitForPartial(clause.bytes());
    } else if (name.startsWith("$") && name !== "$comment") throw unfit(name);
    else refuseUnfitCondition(value);
  }
}

function refuseUnfitCondition(value: Value): void {
  if (value.type === bsonType.regex) throw unfit("$regex");
  if (!isOperatorDocument(value)) return;
  for (const { name, value: argument } of fieldsOfValue(value))
    if (!operators.has(name) || (name === "$exists" && !isTruthy(argument))) throw unfit(name);
}

function unfit(operator: string): EngineError {
  return new EngineError(
    67,
    "CannotCreateIndex",
    `Error in specification: Expression not supported in partial index: ${operator}`,
  );
}
