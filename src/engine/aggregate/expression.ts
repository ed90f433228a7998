import { EngineError, located } from "../engine-error.ts";
import { arrayValue, objectValue } from "../bson/builder.ts";
import { bsonType } from "../bson/types.ts";
import { documentValue, nullValue, textOf, type Value } from "../bson/value.ts";
import { elementsOf, findField, fieldsOfValue, nameBytes } from "../bson/walk.ts";
import { operatorNamed } from "./operators.ts";

/** What an expression is evaluated in. */
export interface Scope {
  readonly root: Value;
  readonly variables: ReadonlyMap<string, Value | undefined>;
}

/** An expression made ready; undefined is a missing value. */
export type Expression = (scope: Scope) => Value | undefined;

/** Compiles an expression (manual, "Aggregation Expressions"). Throws 168 InvalidPipelineOperator for operators that are not there. */
export function compileExpression(value: Value): Expression {
  if (value.type === bsonType.string) return compileText(textOf(value), value);
  if (value.type === bsonType.array) {
    const elements = elementsOf(value).map(compileExpression);
    return (scope) => arrayValue(elements.map((element) => element(scope) ?? nullValue));
  }
  if (value.type !== bsonType.object) return () => value;
  const fields = [...fieldsOfValue(value)];
  const [first] = fields;
  if (first?.name.startsWith("$") === true) {
    if (fields.length > 1)
      throw located(
        15983,
        `an expression specification must contain exactly one field, the name of the expression. Found ${fields.length} fields`,
      );
    return compileOperator(first.name, first.value);
  }
  const parts = fields.map((field) => ({ name: field.name, expression: compileExpression(field.value) }));
  return (scope) =>
    objectValue(
      parts.flatMap(({ name, expression }) => {
        const result = expression(scope);
        return result === undefined ? [] : [[name, result] as const];
      }),
    );
}

function compileOperator(name: string, argument: Value): Expression {
  if (name === "$literal" || name === "$const") return () => argument;
  const operator = operatorNamed(name);
  if (operator === undefined)
    throw new EngineError(168, "InvalidPipelineOperator", `Unrecognized expression '${name}'`);
  return operator(argument, compileExpression);
}

function compileText(text: string, value: Value): Expression {
  if (!text.startsWith("$")) return () => value;
  if (!text.startsWith("$$")) {
    const path = pathOf(text.slice(1));
    return (scope) => follow(scope.root, path, 0);
  }
  const [name = "", ...rest] = text.slice(2).split(".");
  const path = rest.map(nameBytes);
  if (name === "ROOT" || name === "CURRENT") return (scope) => follow(scope.root, path, 0);
  if (name === "REMOVE") return () => undefined;
  if (!/^[a-z][\w]*$/.test(name) && name !== "NOW")
    throw new EngineError(9, "FailedToParse", `'${name}' starts with an invalid character for a user variable name`);
  return (scope) => {
    if (!scope.variables.has(name)) throw located(17276, `Use of undefined variable: ${name}`);
    const found = scope.variables.get(name);
    return found === undefined ? undefined : follow(found, path, 0);
  };
}

function pathOf(text: string): Uint8Array[] {
  const segments = text.split(".");
  if (segments.some((segment) => segment === ""))
    throw located(40353, `FieldPath '${text}' must not have empty segments`);
  if (segments.some((segment) => segment.startsWith("$")))
    throw located(16410, "FieldPath field names may not start with '$'. Consider using $getField or $setField.");
  return segments.map(nameBytes);
}

/** A path in expressions: arrays on the way give an array of what their documents hold; numbers pick nothing. */
function follow(value: Value, path: readonly Uint8Array[], depth: number): Value | undefined {
  if (depth === path.length) return value;
  if (value.type === bsonType.object) {
    const child = findField(value.source, value.start, path[depth] as Uint8Array);
    return child === undefined ? undefined : follow(child, path, depth + 1);
  }
  if (value.type !== bsonType.array) return undefined;
  return arrayValue(
    elementsOf(value).flatMap((element) => {
      const found =
        element.type === bsonType.object || element.type === bsonType.array ? follow(element, path, depth) : undefined;
      return found === undefined ? [] : [found];
    }),
  );
}

/** The scope of a document with no variables but those given under `let`. */
export function scopeOf(document: Uint8Array, variables: ReadonlyMap<string, Value | undefined>): Scope {
  return { root: documentValue(document), variables };
}
