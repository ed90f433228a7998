import { badValue, EngineError, located } from "../engine-error.ts";
import { arrayValue, buildDocument } from "../bson/builder.ts";
import { encodeKey } from "../bson/key.ts";
import { parsePath } from "../bson/path.ts";
import { bsonType } from "../bson/types.ts";
import { int32Value, nullValue, textOf, type Value, wholeNumberOf } from "../bson/value.ts";
import { elementsOf, fieldsOf, fieldsOfValue } from "../bson/walk.ts";
import { compileFilter } from "../query/filter.ts";
import {
  blockingStepMaxBytes,
  filtered,
  type Flow,
  limited,
  mapped,
  memoryLimit,
  skipped,
  sorted,
} from "../query/flow.ts";
import { compileProjection } from "../query/projection.ts";
import { createSortKey, parseSort } from "../query/sort.ts";
import { type CompileExpression } from "../query/tests.ts";
import { changeAt, MutableDocument, toValue } from "../update/mutable.ts";
import { accumulatorNamed, type Accumulator } from "./accumulators.ts";
import { compileExpression, type Expression, scopeOf } from "./expression.ts";

/** Variables given under `let`, by name. */
export type Variables = ReadonlyMap<string, Value | undefined>;

/** A stage made ready. */
export type Stage = (flow: Flow) => Flow;

/** `let` as variables; its values are constants or expressions of constants. */
export function variablesOf(document: Uint8Array | undefined): Variables {
  if (document === undefined) return new Map();
  const nothing = scopeOf(buildDocument([]), new Map());
  return new Map(Array.from(fieldsOf(document), ({ name, value }) => [name, compileExpression(value)(nothing)]));
}

/** For `$expr` and computed fields of projections. */
export function expressionCompiler(variables: Variables): CompileExpression {
  return (value) => {
    const expression = compileExpression(value);
    return (document) => expression(scopeOf(document, variables));
  };
}

/** Compiles a pipeline's stages in order. Throws 40324 for a stage that is not there. `limit` after `sort` is used by the sort. */
export function compileStages(pipeline: readonly Uint8Array[], variables: Variables): Stage[] {
  return pipeline.map((bytes, position) => {
    const fields = [...fieldsOf(bytes)];
    const [field] = fields;
    if (field === undefined || fields.length !== 1)
      throw located(40323, "A pipeline stage specification object must contain exactly one field.");
    return compileStage(field.name, field.value, variables, limitOf(pipeline[position + 1]));
  });
}

function compileStage(name: string, value: Value, variables: Variables, nextLimit: number | undefined): Stage {
  switch (name) {
    case "$match": {
      const filter = compileFilter(objectOf(name, value), { compileExpression: expressionCompiler(variables) });
      return (flow) => filtered(flow, (document) => filter.matches(document));
    }
    case "$sort": {
      const fields = parseSort(objectOf(name, value));
      if (fields.length === 0) throw located(15976, "$sort stage must have at least one sort key");
      return (flow) => sorted(flow, createSortKey(fields), nextLimit);
    }
    case "$limit": {
      const count = wholeNumberOf(value);
      if (count === undefined || count <= 0) throw located(15958, "the limit must be positive");
      return (flow) => limited(flow, count);
    }
    case "$skip": {
      const count = wholeNumberOf(value);
      if (count === undefined || count < 0) throw located(15956, "Argument to $skip cannot be negative");
      return (flow) => skipped(flow, count);
    }
    case "$project":
      return compileProject(objectOf(name, value), variables);
    case "$addFields":
    case "$set":
      return compileAddFields(objectOf(name, value), variables);
    case "$unset":
      return compileUnset(value);
    case "$group":
      return compileGroup(objectOf(name, value), variables);
    case "$count":
      return compileCount(value);
    case "$unwind":
      return compileUnwind(value);
    case "$replaceRoot":
    case "$replaceWith":
      return compileReplaceRoot(name, value, variables);
    default:
      throw located(40324, `Unrecognized pipeline stage name: '${name}'`);
  }
}

function compileProject(specification: Uint8Array, variables: Variables): Stage {
  if ([...fieldsOf(specification)].length === 0)
    throw located(51272, "Invalid $project :: caused by :: projection specification must have at least one field");
  const project = compileProjection(specification, { find: false, compileExpression: expressionCompiler(variables) });
  return (flow) => mapped(flow, project);
}

function compileAddFields(specification: Uint8Array, variables: Variables): Stage {
  const additions = [...fieldsOf(specification)].flatMap(({ name, value }) => flattened(name, value));
  if (additions.length === 0)
    throw located(40177, "Invalid $addFields :: caused by :: specification must have at least one field");
  return (flow) =>
    mapped(flow, (document) => {
      const scope = scopeOf(document, variables);
      const root = MutableDocument.of(document);
      for (const { segments, expression } of additions) addAt(root, segments, expression(scope));
      return root.toBytes();
    });
}

/** `{a: {b: 1}}` adds `a.b`; only an operator makes a document an expression. */
function flattened(
  path: string,
  value: Value,
): { readonly segments: readonly string[]; readonly expression: Expression }[] {
  const fields = value.type === bsonType.object ? [...fieldsOfValue(value)] : [];
  if (fields.length > 0 && fields[0]?.name.startsWith("$") === false)
    return fields.flatMap((field) => flattened(`${path}.${field.name}`, field.value));
  return [{ segments: path.split("."), expression: compileExpression(value) }];
}

/** Adds into every document of an array on the way; what is no document is replaced by one. */
function addAt(root: MutableDocument, segments: readonly string[], value: Value | undefined): void {
  const [name, ...rest] = segments as [string, ...string[]];
  if (rest.length === 0) {
    if (value === undefined) root.remove(name);
    else root.set(name, value);
    return;
  }
  const current = root.get(name);
  const stored = current === undefined ? undefined : toValue(current);
  root.set(name, addInto(stored, rest, value));
}

function addInto(stored: Value | undefined, segments: readonly string[], value: Value | undefined): Value {
  if (stored?.type === bsonType.array)
    return arrayValue(elementsOf(stored).map((element) => addInto(element, segments, value)));
  const inner = stored?.type === bsonType.object ? MutableDocument.of(stored.bytes()) : new MutableDocument([]);
  addAt(inner, segments, value);
  return toValue(inner);
}

function compileUnset(value: Value): Stage {
  const paths = (value.type === bsonType.array ? elementsOf(value) : [value]).map((path) => {
    if (path.type !== bsonType.string)
      throw located(31002, "$unset specification must be a string or an array containing only string values");
    return textOf(path);
  });
  if (paths.length === 0)
    throw located(31119, "$unset specification must be a string or an array with at least one field");
  const project = compileProjection(buildDocument(paths.map((path) => [path, int32Value(0)] as const)), {
    find: false,
  });
  return (flow) => mapped(flow, project);
}

interface Group {
  readonly id: Value;
  readonly accumulators: readonly Accumulator[];
}

function compileGroup(specification: Uint8Array, variables: Variables): Stage {
  const fields = [...fieldsOf(specification)];
  const idField = fields.find(({ name }) => name === "_id");
  if (idField === undefined) throw located(15955, "a group specification must include an _id");
  const idExpression = compileExpression(idField.value);
  const outputs = fields.filter(({ name }) => name !== "_id").map(({ name, value }) => compileOutput(name, value));
  return function* group(flow: Flow): Flow {
    const groups = new Map<string, Group>();
    let bytes = 0;
    for (const document of flow) {
      if (document === undefined) {
        yield undefined;
        continue;
      }
      const scope = scopeOf(document, variables);
      const id = idExpression(scope) ?? nullValue;
      const key = Buffer.from(encodeKey(id)).toString("latin1");
      let found = groups.get(key);
      if (found === undefined) {
        found = { id, accumulators: outputs.map((output) => output.create()) };
        groups.set(key, found);
        bytes += key.length * 2 + 100;
      }
      for (const [position, output] of outputs.entries()) {
        const accumulator = found.accumulators[position] as Accumulator;
        const before = accumulator.sizeBytes;
        accumulator.add(output.expression(scope));
        bytes += accumulator.sizeBytes - before;
      }
      if (bytes > blockingStepMaxBytes) throw memoryLimit("$group");
    }
    for (const { id, accumulators } of groups.values()) {
      yield buildDocument([
        ["_id", id],
        ...outputs.map((output, position) => [output.name, (accumulators[position] as Accumulator).result()] as const),
      ]);
    }
  };
}

function compileOutput(
  name: string,
  value: Value,
): { readonly name: string; readonly create: () => Accumulator; readonly expression: Expression } {
  if (name.includes(".")) throw located(40235, `The field name '${name}' cannot contain '.'`);
  if (name.startsWith("$")) throw located(40236, `The field name '${name}' cannot be an operator name`);
  const fields = value.type === bsonType.object ? [...fieldsOfValue(value)] : [];
  const [field] = fields;
  if (field === undefined || !field.name.startsWith("$"))
    throw located(40234, `The field '${name}' must be an accumulator object`);
  if (fields.length > 1) throw located(40238, `The field '${name}' must specify one accumulator`);
  if (field.name === "$count") {
    if (field.value.type !== bsonType.object || [...fieldsOfValue(field.value)].length > 0)
      throw new EngineError(14, "TypeMismatch", "$count takes no arguments, i.e. $count:{}");
    return { name, create: accumulatorNamed("$sum"), expression: () => int32Value(1) };
  }
  return { name, create: accumulatorNamed(field.name), expression: compileExpression(field.value) };
}

function compileCount(value: Value): Stage {
  const name = value.type === bsonType.string ? textOf(value) : "";
  if (name === "") throw located(40156, "the count field must be a non-empty string");
  if (name.startsWith("$") || name.includes("."))
    throw located(40158, `the count field cannot be a $-prefixed path or contain '.': ${name}`);
  return function* count(flow: Flow): Flow {
    let counted = 0;
    for (const document of flow) {
      if (document === undefined) yield undefined;
      else counted += 1;
    }
    if (counted > 0) yield buildDocument([[name, int32Value(counted)]]);
  };
}

function compileUnwind(value: Value): Stage {
  const options =
    value.type === bsonType.object
      ? new Map(Array.from(fieldsOfValue(value), (field) => [field.name, field.value]))
      : new Map([["path", value]]);
  for (const name of options.keys())
    if (!["path", "preserveNullAndEmptyArrays", "includeArrayIndex"].includes(name))
      throw located(28811, `unrecognized option to $unwind stage: ${name}`);
  if (options.has("includeArrayIndex"))
    throw located(28811, "includeArrayIndex of $unwind is not supported by this server");
  const path = options.get("path");
  const text = path?.type === bsonType.string ? textOf(path) : "";
  if (!text.startsWith("$") || text.length < 2)
    throw located(28818, `path option to $unwind stage should be prefixed with a '$': ${text}`);
  const preserve = options.get("preserveNullAndEmptyArrays");
  const keepEmpty = preserve !== undefined && preserve.source[preserve.start] === 1;
  const segments = parsePath(text.slice(1)).segments.map((segment) => segment.name);
  return function* unwind(flow: Flow): Flow {
    for (const document of flow) {
      if (document === undefined) yield undefined;
      else yield* unwound(document, segments, keepEmpty);
    }
  };
}

function* unwound(document: Uint8Array, segments: readonly string[], keepEmpty: boolean): Flow {
  const root = MutableDocument.of(document);
  let found: Value | undefined;
  changeAt(root, segments, (current) => (found = current), false, segments.join("."));
  if (found?.type !== bsonType.array) {
    const isNothing = found === undefined || found.type === bsonType.null || found.type === bsonType.undefined;
    if (!isNothing || keepEmpty) yield document;
    return;
  }
  const elements = elementsOf(found);
  if (elements.length === 0 && keepEmpty) {
    changeAt(root, segments, () => undefined, false, segments.join("."));
    yield root.toBytes();
  }
  for (const element of elements) {
    const copy = MutableDocument.of(document);
    changeAt(copy, segments, () => element, false, segments.join("."));
    yield copy.toBytes();
  }
}

function compileReplaceRoot(name: string, value: Value, variables: Variables): Stage {
  const given =
    name === "$replaceWith"
      ? value
      : value.type === bsonType.object
        ? [...fieldsOfValue(value)].find((field) => field.name === "newRoot")?.value
        : undefined;
  if (given === undefined) throw located(40231, "no newRoot specified for the $replaceRoot stage");
  const expression = compileExpression(given);
  return (flow) =>
    mapped(flow, (document) => {
      const root = expression(scopeOf(document, variables));
      if (root?.type !== bsonType.object) throw located(40228, "'newRoot' expression must evaluate to an object");
      return root.bytes().slice();
    });
}

function objectOf(name: string, value: Value): Uint8Array {
  if (value.type !== bsonType.object) throw badValue(`the ${name} specification must be an object`);
  return value.bytes().slice();
}

function limitOf(stage: Uint8Array | undefined): number | undefined {
  if (stage === undefined) return undefined;
  const [field] = [...fieldsOf(stage)];
  return field?.name === "$limit" ? wholeNumberOf(field.value) : undefined;
}
