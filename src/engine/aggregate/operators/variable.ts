import { located } from "../../engine-error.ts";
import { bsonType } from "../../bson/types.ts";
import { fieldsOfValue } from "../../bson/walk.ts";
import { constant, refuseVariableName, type Variable, withVariables } from "../context.ts";
import { type ExpressionOperator, namedArguments, typeOf } from "./operator.ts";

/** `{$let: {vars, in}}`; the variables do not see each other. */
export const $let: ExpressionOperator = (argument, place) => {
  const given = namedArguments(
    argument,
    place,
    { required: ["vars", "in"] },
    { notObject: 16_874, unknown: 16_875, missing: 16_876 },
  );
  const vars = given.get("vars");
  const body = given.get("in");
  if (vars === undefined || body === undefined) throw located(16_876, "Missing a parameter to $let");
  if (vars.type !== bsonType.object)
    throw located(10_065, `invalid parameter: expected an object (vars), found: ${typeOf(vars)}`);
  const bound = Array.from(fieldsOfValue(vars), ({ name, value }) => {
    refuseVariableName(name, "set");
    const variable: Variable = { value: undefined };
    return { name, variable, expression: place.compile(value) };
  });
  const inner = place.compile(
    body,
    withVariables(
      place.context,
      bound.map(({ name, variable }) => [name, variable]),
    ),
  );
  return (root) => {
    const values = bound.map(({ expression }) => expression(root));
    for (const [index, { variable }] of bound.entries()) variable.value = values[index];
    return inner(root);
  };
};

/** `$literal`, and `$const`, its other name. */
export const $literal: ExpressionOperator = (argument) => constant(argument);
