import { located } from "../../engine-error.ts";
import { arrayValue, buildDocument, emptyDocument, objectValue } from "../../bson/builder.ts";
import { bsonType } from "../../bson/types.ts";
import { documentValue, nullValue, stringValue, textOf, type Value } from "../../bson/value.ts";
import { elementsOf, fieldsOfValue, findField, nameBytes } from "../../bson/walk.ts";
import type { Expression } from "../context.ts";
import { mergeDocuments } from "../merge-documents.ts";
import {
  type ExpressionOperator,
  isNullish,
  namedArguments,
  type OperatorPlace,
  typeOf,
  unary,
  variadic,
} from "./operator.ts";

export const $mergeObjects: ExpressionOperator = variadic((values) => {
  const documents: Uint8Array[] = [];
  for (const value of values) {
    if (isNullish(value)) continue;
    const given: Value = value;
    // One array stands for its elements.
    const parts = values.length === 1 && given.type === bsonType.array ? elementsOf(given) : [given];
    for (const part of parts) {
      if (isNullish(part)) continue;
      if (part.type !== bsonType.object)
        throw located(40_400, `$mergeObjects requires object inputs, but input is of type ${typeOf(part)}`);
      documents.push(part.bytes());
    }
  }
  return documentValue(mergeDocuments(documents));
});

export const $objectToArray: ExpressionOperator = unary((value) => {
  if (isNullish(value)) return nullValue;
  const given: Value = value;
  if (given.type !== bsonType.object)
    throw located(40_390, `$objectToArray requires a document input, found: ${typeOf(given)}`);
  return arrayValue(
    Array.from(fieldsOfValue(given), ({ name, value: inner }) =>
      objectValue([
        ["k", stringValue(name)],
        ["v", inner],
      ]),
    ),
  );
});

export const $arrayToObject: ExpressionOperator = unary((value) => {
  if (isNullish(value)) return nullValue;
  const given: Value = value;
  if (given.type !== bsonType.array)
    throw located(40_386, `$arrayToObject requires an array input, found: ${typeOf(given)}`);
  const elements = elementsOf(given);
  const [first] = elements;
  if (first === undefined) return documentValue(emptyDocument);
  if (first.type !== bsonType.array && first.type !== bsonType.object)
    throw located(40_398, `Unrecognised input type format for $arrayToObject: ${typeOf(first)}`);
  const fields = new Map<string, Value>();
  for (const element of elements) {
    const [name, inner] = first.type === bsonType.array ? pairOf(element) : keyAndValueOf(element);
    fields.set(name, inner);
  }
  return documentValue(buildDocument(fields));
});

/** `["name", value]`. */
function pairOf(element: Value): readonly [string, Value] {
  if (element.type !== bsonType.array)
    throw located(
      40_396,
      `$arrayToObject requires a consistent input format. Elements must all be arrays or all be objects. Array was detected, now found: ${typeOf(element)}`,
    );
  const parts = elementsOf(element);
  if (parts.length !== 2)
    throw located(40_397, `$arrayToObject requires an array of size 2 arrays,found array of size: ${parts.length}`);
  const [key, value] = parts as [Value, Value];
  if (key.type !== bsonType.string)
    throw located(
      40_395,
      `$arrayToObject requires an array of key-value pairs, where the key must be of type string. Found key type: ${typeOf(key)}`,
    );
  return [checkedKey(textOf(key), 4_940_401), value];
}

/** `{k: "name", v: value}`. */
function keyAndValueOf(element: Value): readonly [string, Value] {
  if (element.type !== bsonType.object)
    throw located(
      40_391,
      `$arrayToObject requires a consistent input format. Elements must all be arrays or all be objects. Object was detected, now found: ${typeOf(element)}`,
    );
  const fields = new Map(Array.from(fieldsOfValue(element), ({ name, value }) => [name, value]));
  if (fields.size !== 2)
    throw located(
      40_392,
      `$arrayToObject requires an object keys of 'k' and 'v'. Found incorrect number of keys:${fields.size}`,
    );
  const [key, value] = [fields.get("k"), fields.get("v")];
  if (key === undefined || value === undefined)
    throw located(40_393, "$arrayToObject requires an object with keys 'k' and 'v'. Missing either or both keys");
  if (key.type !== bsonType.string)
    throw located(
      40_394,
      `$arrayToObject requires an object with keys 'k' and 'v', where the value of 'k' must be of type string. Found type: ${typeOf(key)}`,
    );
  return [checkedKey(textOf(key), 4_940_400), value];
}

function checkedKey(name: string, code: number): string {
  if (name.includes("\0")) throw located(code, "Key field cannot contain an embedded null byte");
  return name;
}

/** `{$getField: "name"}` of the document itself, or `{field, input}`. */
export const $getField: ExpressionOperator = (argument, place) => {
  let field: Value | undefined = argument;
  let input: Expression = (root) => root;
  const first = argument.type === bsonType.object ? fieldsOfValue(argument).next().value : undefined;
  if (argument.type === bsonType.object && first?.name.startsWith("$") !== true) {
    const given = namedArguments(
      argument,
      place,
      { required: ["field", "input"] },
      { notObject: 3_041_701, unknown: 3_041_701, missing: missingCode(argument) },
    );
    field = given.get("field") as Value;
    input = place.compile(given.get("input") as Value);
  } else {
    const current = place.context.variables.get("CURRENT");
    if (current !== undefined) input = () => current.value;
  }
  const name = fieldName(field, place, 3_041_704);
  return (root) => {
    const wanted = name(root);
    const document = input(root);
    if (isNullish(document)) return document === undefined ? undefined : nullValue;
    const given: Value = document;
    return given.type === bsonType.object ? findField(given.source, given.start, nameBytes(wanted)) : undefined;
  };
};

/** Code for what is missing: the field, or the input. */
function missingCode(argument: Value): number {
  return Array.from(fieldsOfValue(argument)).some(({ name }) => name === "field") ? 3_041_703 : 3_041_702;
}

/** A field's name, which must come out as a string and without a document; `$` in a plain text stays. */
function fieldName(value: Value, place: OperatorPlace, code: number): (root: Value) => string {
  const expression = place.compile(value);
  const check = (name: Value | undefined): string => {
    if (name?.type !== bsonType.string)
      throw located(code, `${place.name} requires 'field' to evaluate to type String, but got ${typeOf(name)}`);
    return textOf(name);
  };
  if (expression.constant !== undefined) {
    const name = check(expression.constant);
    return () => name;
  }
  return (root) => check(expression(root));
}

/** `{field, input, value}`; a missing value takes the field away. */
export const $setField: ExpressionOperator = (argument, place) => setting(argument, place, true);

/** `{field, input}`. */
export const $unsetField: ExpressionOperator = (argument, place) => setting(argument, place, false);

function setting(argument: Value, place: OperatorPlace, takesValue: boolean): Expression {
  const required = takesValue ? ["field", "input", "value"] : ["field", "input"];
  const given = namedArguments(
    argument,
    place,
    { required },
    { notObject: 4_161_100, unknown: 4_161_101, missing: 4_161_102 },
  );
  const fieldExpression = given.get("field") as Value;
  const compiled = place.compile(fieldExpression);
  if (compiled.constant === undefined)
    throw located(4_161_106, `${place.name} requires 'field' to evaluate to a constant`);
  if (compiled.constant.type !== bsonType.string)
    throw located(
      4_161_107,
      `${place.name} requires 'field' to evaluate to type String, but got ${typeOf(compiled.constant)}`,
    );
  const name = textOf(compiled.constant);
  const input = place.compile(given.get("input") as Value);
  const value: Expression = takesValue ? place.compile(given.get("value") as Value) : () => undefined;
  return (root) => {
    const document = input(root);
    if (isNullish(document)) return nullValue;
    const into: Value = document;
    if (into.type !== bsonType.object)
      throw located(4_161_105, `${place.name} requires 'input' to evaluate to type Object`);
    const fields = new Map(Array.from(fieldsOfValue(into), (field) => [field.name, field.value]));
    const result = value(root);
    if (result === undefined) fields.delete(name);
    else fields.set(name, result);
    return documentValue(buildDocument(fields));
  };
}
