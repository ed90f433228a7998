import { EngineError, failedToParse, located } from "../engine-error.ts";
import { checkFieldName } from "../bson/field-name.ts";
import { allElements, arrayOf, mappedList } from "../bson/arrays.ts";
import { arrayValue, DocumentBuilder } from "../bson/builder.ts";
import { textBytes } from "../bson/bytes.ts";
import { bsonType } from "../bson/types.ts";
import { nullValue, textOf, Value } from "../bson/value.ts";
import { elementsOf, type Field, fieldsOfValue, findField } from "../bson/walk.ts";
import { constant, type Expression, type ExpressionContext, refuseVariableName } from "./context.ts";
import { expressionOperators } from "./operators/index.ts";

/** Compiles an expression (manual, "Aggregation Expressions"). Throws 168 InvalidPipelineOperator for operators that are not there. */
export function compileExpression(value: Value, context: ExpressionContext): Expression {
  if (value.type === bsonType.string) return compileText(textOf(value), value, context);
  if (value.type === bsonType.array) return compileArray(value, context);
  if (value.type !== bsonType.object) return constant(value);
  const fields = [...fieldsOfValue(value)];
  const [first] = fields;
  if (first?.name.startsWith("$") !== true) return compileObject(fields, context);
  if (fields.length > 1)
    throw located(
      15983,
      `an expression specification must contain exactly one field, the name of the expression. Found ${fields.length} fields`,
    );
  return compileOperator(first.name, first.value, context);
}

function compileArray(value: Value, context: ExpressionContext): Expression {
  const elements = elementsOf(value).map((element) => compileExpression(element, context));
  if (elements.every((element) => element.constant !== undefined))
    return constant(arrayValue(elements.map((element) => element.constant ?? nullValue)));
  return (root) => arrayValue(elements.map((element) => element(root) ?? nullValue));
}

function compileObject(fields: readonly Field[], context: ExpressionContext): Expression {
  const names = new Set<string>();
  const parts = fields.map(({ name, value }) => {
    checkFieldName(name);
    if (name.includes(".")) throw located(16412, "FieldPath field names may not contain '.'.");
    if (names.has(name)) throw located(16406, `duplicate field name specified in object literal: ${name}`);
    names.add(name);
    return { name: textBytes(name), expression: compileExpression(value, context) };
  });
  const build: Expression = (root) => {
    const builder = new DocumentBuilder();
    for (const { name, expression } of parts) {
      const result = expression(root);
      if (result !== undefined) builder.appendBytes(name, result);
    }
    return new Value(bsonType.object, builder.finish());
  };
  return parts.every(({ expression }) => expression.constant !== undefined)
    ? constant(build(nullValue) as Value)
    : build;
}

function compileOperator(name: string, argument: Value, context: ExpressionContext): Expression {
  const operator = expressionOperators.get(name);
  if (operator === undefined)
    throw new EngineError(168, "InvalidPipelineOperator", `Unrecognized expression '${name}'`);
  let dependent = changing.has(name);
  const expression = operator(argument, {
    name,
    context,
    compile: (value, inner = context) => {
      const part = compileExpression(value, inner);
      if (part.constant === undefined) dependent = true;
      return part;
    },
  });
  if (dependent || expression.constant !== undefined) return expression;
  // As in MongoDB, what no document changes is computed once, and fails at once.
  const value = expression(nullValue);
  return value === undefined ? expression : constant(value);
}

/** Operators whose results differ although their arguments do not, or that look at the document without being given it. */
const changing: ReadonlySet<string> = new Set(["$getField", "$rand"]);

function compileText(text: string, value: Value, context: ExpressionContext): Expression {
  if (!text.startsWith("$")) return constant(value);
  if (!text.startsWith("$$")) {
    const path = pathOf(text.slice(1));
    const current = context.variables.get("CURRENT");
    if (current !== undefined) return () => (current.value === undefined ? undefined : follow(current.value, path, 0));
    const [only] = path;
    if (path.length === 1 && only !== undefined) return fieldOf(only);
    return (root) => follow(root, path, 0);
  }
  const [name = "", ...rest] = text.slice(2).split(".");
  const path = rest.length === 0 ? [] : pathOf(rest.join("."));
  const variable = context.variables.get(name);
  if (variable !== undefined) {
    if (path.length === 0) return () => variable.value;
    return () => (variable.value === undefined ? undefined : follow(variable.value, path, 0));
  }
  if (name === "ROOT" || name === "CURRENT") return (root) => follow(root, path, 0);
  if (name === "REMOVE") return () => undefined;
  if (!systemVariables.has(name)) refuseVariableName(name, "use");
  throw located(17276, `Use of undefined variable: ${name}`);
}

const systemVariables: ReadonlySet<string> = new Set([
  "CLUSTER_TIME",
  "DESCEND",
  "KEEP",
  "NOW",
  "PRUNE",
  "SEARCH_META",
  "USER_ROLES",
]);

/** The field of a document itself, without any step between: what scans and groups mostly ask. */
function fieldOf(name: Uint8Array): Expression {
  return (root) => (root.type === bsonType.object ? findField(root.source, root.start, name) : follow(root, [name], 0));
}

/** A path's names as bytes. Throws 16872, 40353, 16410 for what is no path. */
export function pathOf(text: string): Uint8Array[] {
  if (text === "") throw located(16872, "'$' by itself is not a valid FieldPath");
  if (text.endsWith(".")) throw located(40353, "FieldPath must not end with a '.'.");
  const segments = text.split(".");
  for (const segment of segments) checkFieldName(segment);
  if (segments.length > 200) throw new EngineError(15, "Overflow", "FieldPath is too long");
  if (text.includes("\0")) throw failedToParse("FieldPath field names may not contain null bytes");
  return segments.map(textBytes);
}

/** A path in expressions: arrays on the way give an array of what their documents hold; numbers pick nothing. */
export function follow(value: Value, path: readonly Uint8Array[], depth: number): Value | undefined {
  if (depth === path.length) return value;
  if (value.type === bsonType.object) {
    const child = findField(value.source, value.start, path[depth] as Uint8Array);
    return child === undefined ? undefined : follow(child, path, depth + 1);
  }
  if (value.type !== bsonType.array) return undefined;
  // As in MongoDB, an array directly inside an array is not looked through.
  const found = mappedList(allElements(value), (element) =>
    element.type === bsonType.object ? follow(element, path, depth) : undefined,
  );
  return arrayOf(found.filter((inner) => inner !== undefined));
}
