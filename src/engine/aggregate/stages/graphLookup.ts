import { failedToParse, located } from "../../engine-error.ts";
import { fieldPathOf } from "../../bson/field-name.ts";
import { toNumber } from "../../bson/numbers.ts";
import { arrayValue, emptyDocument } from "../../bson/builder.ts";
import { keyText as idText } from "../../bson/key.ts";
import { parsePath } from "../../bson/path.ts";
import { bsonType, isNumberType, typeName } from "../../bson/types.ts";
import { documentValue, int64Value, nullValue, textOf, type Value } from "../../bson/value.ts";
import { elementsOf, fieldsOfValue, getField } from "../../bson/walk.ts";
import { blockingStepMaxBytes, type Flow } from "../../query/flow.ts";
import { compileExpression } from "../expression.ts";
import { ForeignDocuments, joinValues } from "../foreign-documents.ts";
import { Work } from "../../steps.ts";
import type { StageFactory } from "../stage.ts";
import { withAdded } from "./addFields.ts";

/** Values after which is asked whether it is time to give way. */
const stretchLength = 1024;

const known: ReadonlySet<string> = new Set([
  "from",
  "startWith",
  "connectFromField",
  "connectToField",
  "as",
  "maxDepth",
  "depthField",
  "restrictSearchWithMatch",
]);

export const $graphLookup: StageFactory = (argument, place) => {
  if (argument.type !== bsonType.object)
    throw failedToParse(`the $graphLookup stage specification must be an object, but found ${typeName(argument.type)}`);
  const given = new Map<string, Value>();
  for (const { name, value } of fieldsOfValue(argument)) {
    if (!known.has(name)) throw located(40_104, `Unknown argument to $graphLookup: ${name}`);
    given.set(name, value);
  }
  const text = (name: string): string => {
    const value = given.get(name);
    if (value === undefined)
      throw located(
        40_105,
        "$graphLookup requires 'from', 'as', 'startWith', 'connectFromField', and 'connectToField' to be specified.",
      );
    if (value.type !== bsonType.string)
      throw located(40_103, `expected string as argument for ${name}, found: ${typeName(value.type)}`);
    return textOf(value);
  };
  const [collection, as, connectFrom, connectTo] = [
    text("from"),
    text("as"),
    text("connectFromField"),
    text("connectToField"),
  ] as const;
  const asSegments = fieldPathOf(as);
  for (const path of [connectFrom, connectTo]) fieldPathOf(path);
  const startWith = given.get("startWith");
  if (startWith === undefined)
    throw located(
      40_105,
      "$graphLookup requires 'from', 'as', 'startWith', 'connectFromField', and 'connectToField' to be specified.",
    );
  const start = compileExpression(startWith, place.expressions);
  const maxDepth = depthOf(given.get("maxDepth"));
  const depthField = given.has("depthField") ? fieldPathOf(text("depthField")) : undefined;
  const restriction = given.get("restrictSearchWithMatch");
  if (restriction !== undefined && restriction.type !== bsonType.object)
    throw located(40_185, "restrictSearchWithMatch must be an object, found " + typeName(restriction.type));
  const namespace = { database: place.namespace.database, collection };
  const within = [...place.within, "$graphLookup"];
  const foreign = new ForeignDocuments({ ...place, within }, namespace, connectTo, {
    restriction: restriction?.bytes() ?? emptyDocument,
  });
  const path = parsePath(connectFrom);
  const { keyText } = place.expressions;

  /** Documents reached from some values, breadth first; each once, with how many steps it took. */
  function* reached(first: readonly Value[]): Generator<Found | undefined> {
    const visited = new Set<string>();
    const asked = new Set<string>();
    let bytes = 0;
    let values = first;
    for (let depth = 0; values.length > 0 && depth <= maxDepth; depth += 1) {
      const next: Value[] = [];
      for (const document of foreign.matching(yield* unasked(values, asked))) {
        if (document === undefined) {
          yield undefined;
          continue;
        }
        // An `_id` is its bytes, whatever collation documents are looked for by.
        const key = idText(getField(document, "_id") ?? nullValue);
        if (visited.has(key)) continue;
        visited.add(key);
        bytes += document.length + key.length + 64;
        if (bytes > blockingStepMaxBytes) throw located(40_099, "$graphLookup reached maximum memory consumption");
        for (const value of joinValues(document, path)) if (value.type !== bsonType.null) next.push(value);
        yield { document, depth };
      }
      values = next;
    }
  }

  function* unasked(values: readonly Value[], asked: Set<string>): Generator<undefined, Value[]> {
    const fresh: Value[] = [];
    for (const [position, value] of values.entries()) {
      if (position % stretchLength === stretchLength - 1) yield undefined;
      const key = keyText(value);
      if (asked.has(key)) continue;
      asked.add(key);
      fresh.push(value);
    }
    return fresh;
  }

  return function* graphLookup(flow: Flow): Flow {
    const startWork = new Work(start);
    for (const document of flow) {
      if (document === undefined) {
        yield undefined;
        continue;
      }
      const begin = (yield* startWork.pausing(documentValue(document))) ?? nullValue;
      const found: Value[] = [];
      for (const one of reached(begin.type === bsonType.array ? elementsOf(begin) : [begin])) {
        if (one === undefined) yield undefined;
        else found.push(described(one, depthField));
      }
      yield withAdded(document, asSegments, arrayValue(found));
    }
  };
};

interface Found {
  readonly document: Uint8Array;
  readonly depth: number;
}

function described({ document, depth }: Found, depthField: readonly string[] | undefined): Value {
  if (depthField === undefined) return documentValue(document);
  return documentValue(withAdded(document, depthField, int64Value(BigInt(depth))));
}

function depthOf(value: Value | undefined): number {
  if (value === undefined) return Number.POSITIVE_INFINITY;
  if (!isNumberType(value.type)) throw located(40_100, `maxDepth must be numeric, found type: ${typeName(value.type)}`);
  const depth = Math.trunc(toNumber(value));
  if (depth !== toNumber(value))
    throw located(40_102, `maxDepth could not be represented as a long long: ${toNumber(value)}`);
  if (depth < 0) throw located(40_101, `maxDepth requires a nonnegative argument, found: ${depth}`);
  return depth;
}
