import { EngineError, failedToParse, located, typeMismatch } from "../../engine-error.ts";
import { fieldPathOf } from "../../bson/field-name.ts";
import { buildDocument, emptyDocument, objectValue } from "../../bson/builder.ts";
import { toNumber } from "../../bson/numbers.ts";
import { parsePath, valueAtPath } from "../../bson/path.ts";
import { bsonType, isNumberType, typeName } from "../../bson/types.ts";
import { dateValue, documentValue, int32Value, int64Of, nullValue, textOf, type Value } from "../../bson/value.ts";
import { elementsOf, fieldsOf, fieldsOfValue } from "../../bson/walk.ts";
import { blockingStepMaxBytes, type Flow, cannotSpill } from "../../query/flow.ts";
import { Work } from "../../steps.ts";
import { MutableDocument } from "../../update/mutable.ts";
import { detached } from "../accumulators/accumulator.ts";
import { addUnits, type Unit, unitOf } from "../dates/units.ts";
import { utc } from "../dates/zone.ts";
import { compileExpression } from "../expression.ts";
import { addNumberValues } from "../number-arithmetic.ts";
import { objectOf, type StageFactory } from "../stage.ts";
import { addAt, withAdded } from "./addFields.ts";
import { partitionByFields } from "./fill.ts";

/** Documents after which is asked whether it is time to give way. */
const stretchLength = 64;

/** Most documents that may be made (MongoDB's `internalQueryMaxAllowedDensifyDocs`). */
const madeMax = 500_000;

interface Range {
  readonly step: Value;
  readonly unit: Unit | undefined;
  readonly bounds: "full" | "partition" | readonly [Value, Value];
}

/** Makes documents where values of a series are missing. Throws 5897900 for more than 500,000 of them. */
export const $densify: StageFactory = (argument, place) => {
  const given = new Map(
    Array.from(fieldsOf(objectOf(argument, place.name, 5_733_201)), ({ name, value }) => [name, value]),
  );
  for (const name of given.keys())
    if (!["field", "partitionByFields", "range"].includes(name))
      throw new EngineError(40_415, "Location40415", `BSON field '$densify.${name}' is an unknown field.`);
  for (const name of ["field", "range"])
    if (!given.has(name))
      throw new EngineError(40_414, "Location40414", `BSON field '$densify.${name}' is missing but a required field`);
  const field = textOf(textual(given.get("field") as Value, "field"));
  fieldPathOf(field);
  const range = parseRange(given.get("range") as Value);
  const partitionGiven = given.get("partitionByFields");
  if (partitionGiven !== undefined && partitionGiven.type !== bsonType.array)
    throw typeMismatch(
      `BSON field '$densify.partitionByFields' is the wrong type '${typeName(partitionGiven.type)}', expected type 'array'`,
    );
  if (range.bounds === "partition" && partitionGiven === undefined)
    throw located(
      5_733_408,
      "one may not specify the bounds as 'partition' without specifying a non-empty array of partitionByFields.",
    );
  const paths =
    partitionGiven === undefined
      ? []
      : elementsOf(partitionGiven).map((one) => textOf(textual(one, "partitionByFields")));
  const partition =
    partitionGiven === undefined ? undefined : compileExpression(partitionByFields(partitionGiven), place.expressions);
  const path = parsePath(field);
  const segments = field.split(".");
  const { compare, keyText } = place.expressions;
  const sort = place.compile([buildDocument([["$sort", objectValue([[field, int32Value(1)]])]])], place);
  return function* densify(flow: Flow): Flow {
    const partitions = new Map<string, Partition>();
    const { bounds } = range;
    const key = new Work((document: Uint8Array) =>
      partition === undefined ? "" : keyText(partition(documentValue(document)) ?? nullValue),
    );
    let [least, greatest]: (Value | undefined)[] = [];
    let made = 0;
    let bytes = 0;
    const make = function* make(one: Partition, below: Value, inclusive: boolean): Flow {
      for (;;) {
        const { next } = one;
        if (next === undefined) return;
        const order = compare(next, below);
        if (order > 0 || (order === 0 && !inclusive)) return;
        made += 1;
        if (made > madeMax)
          throw located(5_897_900, `Generated ${made} documents in $densify, which is over the limit of ${madeMax}.`);
        yield withAdded(one.fields, segments, next);
        if (made % stretchLength === 0) yield undefined;
        one.next = stepped(next, range);
      }
    };
    for (const document of sort(flow)) {
      if (document === undefined) {
        yield undefined;
        continue;
      }
      const value = valueAtPath(document, path);
      if (value === undefined || value.type === bsonType.null) {
        yield document;
        continue;
      }
      checkValue(value, range);
      least ??= detached(value);
      greatest = value;
      const name = yield* key.pausing(document);
      let one = partitions.get(name);
      if (one === undefined) {
        const first = bounds === "full" ? least : bounds === "partition" ? undefined : bounds[0];
        one = { fields: partitionFields(document, paths), next: first };
        partitions.set(name, one);
        bytes += one.fields.length + name.length + 128;
        if (bytes > blockingStepMaxBytes) throw cannotSpill(place.name);
      }
      const upper = bounds === "full" || bounds === "partition" ? undefined : bounds[1];
      const limit = upper !== undefined && compare(value, upper) > 0 ? upper : value;
      yield* make(one, limit, false);
      if (bounds === "partition" && one.next === undefined) one.next = stepped(value, range);
      else if (one.next !== undefined && compare(one.next, value) === 0) one.next = stepped(value, range);
      yield document;
    }
    const last = bounds === "full" ? greatest : bounds === "partition" ? undefined : bounds[1];
    if (last === undefined) return;
    for (const one of partitions.values()) yield* make(one, last, bounds === "full");
  };
};

interface Partition {
  readonly fields: Uint8Array;
  /** The next value of the series; undefined before the first. */
  next: Value | undefined;
}

function partitionFields(document: Uint8Array, paths: readonly string[]): Uint8Array {
  const root = MutableDocument.of(emptyDocument);
  for (const text of paths) addAt(root, text.split("."), valueAtPath(document, parsePath(text)));
  return root.toBytes();
}

function textual(value: Value, name: string): Value {
  if (value.type !== bsonType.string)
    throw typeMismatch(
      `BSON field '$densify.${name}' is the wrong type '${typeName(value.type)}', expected type 'string'`,
    );
  return value;
}

function parseRange(value: Value): Range {
  if (value.type !== bsonType.object)
    throw typeMismatch(
      `BSON field '$densify.range' is the wrong type '${typeName(value.type)}', expected type 'object'`,
    );
  const given = new Map(Array.from(fieldsOfValue(value), (field) => [field.name, field.value]));
  for (const name of given.keys())
    if (!["step", "unit", "bounds"].includes(name))
      throw new EngineError(40_415, "Location40415", `BSON field '$densify.range.${name}' is an unknown field.`);
  const [step, bounds] = [given.get("step"), given.get("bounds")];
  if (step === undefined || bounds === undefined)
    throw new EngineError(40_414, "Location40414", "BSON field '$densify.range' needs 'step' and 'bounds'");
  if (!isNumberType(step.type))
    throw typeMismatch(
      `BSON field '$densify.range.step' is the wrong type '${typeName(step.type)}', expected types '[int, decimal, double, long]'`,
    );
  if (!(toNumber(step) > 0))
    throw located(5_733_401, "the step parameter in a range statement must be a strictly positive numeric value");
  const unitGiven = given.get("unit");
  const unit = unitGiven === undefined ? undefined : unitOf(unitGiven, "$densify", 9);
  if (unit !== undefined && !Number.isInteger(toNumber(step)))
    throw located(
      6_586_400,
      "The step parameter in a range statement must be a whole number when densifying a date range",
    );
  return { step, unit, bounds: boundsOf(bounds, step, unit) };
}

function boundsOf(value: Value, step: Value, unit: Unit | undefined): Range["bounds"] {
  if (value.type === bsonType.string) {
    const text = textOf(value);
    if (text !== "full" && text !== "partition")
      throw located(5_946_802, "Bounds string must either be 'full' or 'partition'");
    return text;
  }
  const edges = value.type === bsonType.array ? elementsOf(value) : [];
  const [lower, upper, more] = edges;
  if (lower === undefined || upper === undefined || more !== undefined)
    throw located(5_733_403, "a bounding array in a range statement must have exactly two elements");
  const areDates = lower.type === bsonType.date && upper.type === bsonType.date;
  const areNumbers = isNumberType(lower.type) && isNumberType(upper.type);
  if (!areDates && !areNumbers)
    throw located(5_733_406, "a bounding array must contain either both dates or both numeric types");
  if (areDates !== (unit !== undefined))
    throw located(
      areDates ? 5_733_409 : 5_733_410,
      "a bounding array of dates needs a unit, one of numbers must not have one",
    );
  if (areNumbers && (lower.type !== upper.type || lower.type !== step.type))
    throw located(5_876_900, "Upper bound, lower bound, and step must all have the same type");
  const [low, high] = areDates ? [Number(int64Of(lower)), Number(int64Of(upper))] : [toNumber(lower), toNumber(upper)];
  if (low > high) throw located(5_733_402, "the bounds in a range statement must be in ascending order");
  return [lower, upper];
}

function checkValue(value: Value, { unit }: Range): void {
  if (unit === undefined && !isNumberType(value.type))
    throw located(
      5_733_201,
      `PlanExecutor error during aggregation :: caused by :: Densify field type must be numeric, but is ${typeName(value.type)}`,
    );
  if (unit !== undefined && value.type !== bsonType.date)
    throw located(
      6_053_600,
      `PlanExecutor error during aggregation :: caused by :: Encountered a value of type ${typeName(value.type)} in the densify field, and a date is needed`,
    );
}

function stepped(value: Value, { step, unit }: Range): Value {
  if (unit === undefined) return addNumberValues(value, step);
  const moved = addUnits(Number(int64Of(value)), unit, toNumber(step), utc);
  if (!Number.isFinite(moved)) throw failedToParse("$densify: the date is out of range");
  return dateValue(BigInt(moved));
}
