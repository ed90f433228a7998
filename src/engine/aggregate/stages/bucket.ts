import { located } from "../../engine-error.ts";
import { documentValue, int32Value, type Value } from "../../bson/value.ts";
import { buildDocument, emptyDocument, objectValue } from "../../bson/builder.ts";
import { bsonType, typeOrder } from "../../bson/types.ts";
import { elementsOf, fieldsOf, fieldsOfValue } from "../../bson/walk.ts";
import type { Expression, ExpressionContext } from "../context.ts";
import { compileExpression } from "../expression.ts";
import { typeOf } from "../operators/operator.ts";
import { objectOf, type StageFactory, type StagePlace } from "../stage.ts";
import { compileOutput, grouping, type Output } from "./group.ts";

/** Groups by the boundaries a value lies between; the groups come in the order of the boundaries. */
export const $bucket: StageFactory = (argument, place) => {
  const { expressions, name } = place;
  let groupBy: Value | undefined;
  let boundaries: readonly Value[] | undefined;
  let otherwise: Value | undefined;
  let outputs: readonly Output[] = countOutput(expressions);
  for (const field of fieldsOf(objectOf(argument, name, 40_201))) {
    if (field.name === "groupBy") groupBy = refusePlain(field.value, 40_202, name);
    else if (field.name === "boundaries") boundaries = boundariesOf(field.value, expressions);
    else if (field.name === "default") otherwise = constantOf(field.value, expressions, 40_195, "default");
    else if (field.name === "output") outputs = outputsOf(field.value, place, 40_196);
    else throw located(40_197, `Unrecognized option to $bucket: ${field.name}.`);
  }
  if (groupBy === undefined || boundaries === undefined)
    throw located(40_198, "$bucket requires 'groupBy' and 'boundaries' to be specified.");
  refuseInnerDefault(otherwise, boundaries, expressions);
  const id = bucketOf(compileExpression(groupBy, expressions), boundaries, otherwise, expressions);
  const group = grouping(id, outputs, place);
  const sort = place.compile([sortById], place);
  return (flow) => sort(group(flow));
};

const sortById = buildDocument([["$sort", objectValue([["_id", int32Value(1)]])]]);

export function countOutput(context: ExpressionContext): Output[] {
  return [compileOutput("count", objectValue([["$count", documentValue(emptyDocument)]]), context)];
}

export function outputsOf(value: Value, { name, expressions }: StagePlace, code: number): Output[] {
  if (value.type !== bsonType.object)
    throw located(code, `The ${name} 'output' field must be an object, but found type: ${typeOf(value)}.`);
  return Array.from(fieldsOfValue(value), (field) => compileOutput(field.name, field.value, expressions));
}

/** What is grouped by has to depend on documents: a path or an operator. */
export function refusePlain(value: Value, code: number, name: string): Value {
  const isPath = value.type === bsonType.string && value.source[value.start + 4] === 0x24;
  const isOperator = value.type === bsonType.object && fieldsOfValue(value).next().value?.name.startsWith("$") === true;
  if (!isPath && !isOperator)
    throw located(
      code,
      `The ${name} 'groupBy' field must be defined as a $-prefixed path or an expression, but found: ${typeOf(value)}.`,
    );
  return value;
}

function constantOf(value: Value, context: ExpressionContext, code: number, what: string): Value {
  const { constant } = compileExpression(value, context);
  if (constant === undefined) throw located(code, `The $bucket '${what}' field must be a constant expression.`);
  return constant;
}

function boundariesOf(value: Value, context: ExpressionContext): readonly Value[] {
  if (value.type !== bsonType.array)
    throw located(40_200, `The $bucket 'boundaries' field must be an array, but found type: ${typeOf(value)}.`);
  const boundaries = elementsOf(value).map((element) => constantOf(element, context, 40_191, "boundaries"));
  if (boundaries.length < 2)
    throw located(
      40_192,
      `The $bucket 'boundaries' field must have at least 2 values, but found ${boundaries.length} value(s).`,
    );
  for (const [index, upper] of boundaries.entries()) {
    const lower = boundaries[index - 1];
    if (lower === undefined) continue;
    if (typeOrder(lower.type) !== typeOrder(upper.type))
      throw located(
        40_193,
        `All values in the 'boundaries' option to $bucket must have the same type. Found conflicting types ${typeOf(lower)} and ${typeOf(upper)}.`,
      );
    if (context.compare(lower, upper) >= 0)
      throw located(
        40_194,
        "The 'boundaries' option to $bucket must be sorted, but elements are not in ascending order.",
      );
  }
  return boundaries;
}

function refuseInnerDefault(
  otherwise: Value | undefined,
  boundaries: readonly Value[],
  { compare }: ExpressionContext,
): void {
  const [lowest, highest] = [boundaries[0] as Value, boundaries.at(-1) as Value];
  if (otherwise === undefined || typeOrder(otherwise.type) !== typeOrder(lowest.type)) return;
  if (compare(otherwise, lowest) >= 0 && compare(otherwise, highest) < 0)
    throw located(
      40_199,
      "The $bucket 'default' field must be less than the lowest boundary or greater than or equal to the highest boundary.",
    );
}

/** The lower boundary of the bucket a value is in. */
function bucketOf(
  groupBy: Expression,
  boundaries: readonly Value[],
  otherwise: Value | undefined,
  { compare }: ExpressionContext,
): Expression {
  return (root) => {
    const value = groupBy(root);
    if (value !== undefined && compare(value, boundaries[0] as Value) >= 0) {
      let [low, high] = [0, boundaries.length - 1];
      if (compare(value, boundaries[high] as Value) < 0) {
        while (high - low > 1) {
          const middle = (low + high) >> 1;
          if (compare(value, boundaries[middle] as Value) < 0) high = middle;
          else low = middle;
        }
        return boundaries[low];
      }
    }
    if (otherwise === undefined)
      throw located(40_066, "$switch could not find a matching branch for an input, and no default was specified.");
    return otherwise;
  };
}
