import { located } from "../../engine-error.ts";
import { fieldPathOf } from "../../bson/field-name.ts";
import { textBytes } from "../../bson/bytes.ts";
import { parsePath } from "../../bson/path.ts";
import { bsonType, typeName } from "../../bson/types.ts";
import { boolOf, documentValue, int64Value, nullValue, textOf, type Value } from "../../bson/value.ts";
import { elementsOf, fieldsOfValue, findField } from "../../bson/walk.ts";
import type { Flow } from "../../query/flow.ts";
import { changeAt, MutableDocument } from "../../update/mutable.ts";
import { withChangedFields } from "../changed-fields.ts";
import type { StageFactory } from "../stage.ts";

interface Unwinding {
  readonly segments: readonly string[];
  readonly keepEmpty: boolean;
  readonly indexSegments: readonly string[] | undefined;
}

/** Elements after which is asked whether it is time to give way. */
const stretchLength = 64;

export const $unwind: StageFactory = (argument) => {
  const unwinding = parse(argument);
  const path = unwinding.segments.map(textBytes);
  return function* unwind(flow: Flow): Flow {
    for (const document of flow) {
      if (document === undefined) yield undefined;
      else yield* unwound(document, path, unwinding);
    }
  };
};

function parse(argument: Value): Unwinding {
  if (argument.type === bsonType.string)
    return { segments: segmentsOf(argument), keepEmpty: false, indexSegments: undefined };
  if (argument.type !== bsonType.object)
    throw located(
      15_981,
      `expected either a string or an object as specification for $unwind stage, got ${typeName(argument.type)}`,
    );
  let segments: readonly string[] | undefined;
  let keepEmpty = false;
  let indexSegments: readonly string[] | undefined;
  for (const { name, value } of fieldsOfValue(argument)) {
    if (name === "path") {
      if (value.type !== bsonType.string)
        throw located(28_808, `expected a string as the path for $unwind stage, got ${typeName(value.type)}`);
      segments = segmentsOf(value);
    } else if (name === "preserveNullAndEmptyArrays") {
      if (value.type !== bsonType.bool)
        throw located(
          28_809,
          `expected a boolean for the preserveNullAndEmptyArrays option to $unwind stage, got ${typeName(value.type)}`,
        );
      keepEmpty = boolOf(value);
    } else if (name === "includeArrayIndex") {
      const text = value.type === bsonType.string ? textOf(value) : "";
      if (text === "")
        throw located(28_810, "expected a non-empty string for the includeArrayIndex option to $unwind stage");
      if (text.startsWith("$"))
        throw located(28_822, `includeArrayIndex option to $unwind stage should not be prefixed with a '$': ${text}`);
      indexSegments = parsePath(text).segments.map((segment) => segment.name);
    } else throw located(28_811, `unrecognized option to $unwind stage: ${name}`);
  }
  if (segments === undefined) throw located(28_812, "no path specified to $unwind stage");
  return { segments, keepEmpty, indexSegments };
}

function segmentsOf(path: Value): readonly string[] {
  const text = textOf(path);
  if (!text.startsWith("$") || text.length < 2)
    throw located(28_818, `path option to $unwind stage should be prefixed with a '$': ${text}`);
  return fieldPathOf(text.slice(1));
}

function* unwound(
  document: Uint8Array,
  path: readonly Uint8Array[],
  { segments, keepEmpty, indexSegments }: Unwinding,
): Flow {
  const found = plainValueAt(document, path);
  if (found?.type !== bsonType.array) {
    const isNothing = found === undefined || found.type === bsonType.null || found.type === bsonType.undefined;
    if (isNothing && !keepEmpty) return;
    yield indexSegments === undefined ? document : changed(document, [[indexSegments, nullValue]]);
    return;
  }
  const elements = elementsOf(found);
  if (elements.length === 0 && keepEmpty)
    yield changed(document, [
      [segments, undefined],
      ...(indexSegments === undefined ? [] : [[indexSegments, nullValue] as const]),
    ]);
  for (const [index, element] of elements.entries()) {
    yield changed(document, [
      [segments, element],
      ...(indexSegments === undefined ? [] : [[indexSegments, int64Value(BigInt(index))] as const]),
    ]);
    if (index % stretchLength === stretchLength - 1) yield undefined;
  }
}

/** The value at a path of documents; arrays on the way are not looked into. */
function plainValueAt(document: Uint8Array, path: readonly Uint8Array[]): Value | undefined {
  let value: Value | undefined = documentValue(document);
  for (const name of path) {
    if (value?.type !== bsonType.object) return undefined;
    value = findField(value.source, value.start, name);
  }
  return value;
}

function changed(
  document: Uint8Array,
  changes: readonly (readonly [readonly string[], Value | undefined])[],
): Uint8Array {
  if (changes.every(([segments]) => segments.length === 1))
    return withChangedFields(
      document,
      changes.map(([[name = ""], value]) => ({ name: textBytes(name), value })),
    );
  const copy = MutableDocument.of(document);
  for (const [segments, value] of changes)
    changeAt(copy, segments, () => value, value !== undefined, segments.join("."));
  return copy.toBytes();
}
