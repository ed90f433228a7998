import { located } from "../engine-error.ts";
import { arrayValue, buildDocument } from "../bson/builder.ts";
import { isTruthy } from "../bson/numbers.ts";
import { bsonType } from "../bson/types.ts";
import { documentValue, type Value } from "../bson/value.ts";
import { elementsOf, type Field, fieldsOf } from "../bson/walk.ts";

/** `{"a.$": 1}` and what looks like it. */
export function isPositionalPath(name: string): boolean {
  return name.split(".").includes("$");
}

/** The path without its `$`. Throws 31394, 31395 and 51050 for what `find` does not take (manual, "$ (projection)"). */
export function checkedPositionalPath(
  { name, value }: Field,
  options: { readonly find: boolean; readonly filter?: unknown },
): string {
  if (!options.find) throw located(31324, "Cannot use positional projection in aggregation projection");
  if (name === "$" || name.startsWith("$."))
    throw located(31394, `A positional projection needs a field before its '$': '${name}'`);
  const path = name.slice(0, -2);
  if (!name.endsWith(".$") || isPositionalPath(path))
    throw located(31394, "A positional operator may only be used at the end of a path, for example: a.b.$");
  if (!isTruthy(value)) throw located(31395, "Positional projection cannot be used with exclusion");
  if (options.filter === undefined)
    throw located(51050, `Positional projection '${name}' does not match the query document`);
  return path;
}

/** Leaves one element of the first array on the path. Throws 51246 when the query met none by an array, 51247 when this one has fewer. */
export function keepMatchedElement(
  document: Uint8Array,
  segments: readonly string[],
  position: number | undefined,
): Uint8Array {
  return buildDocument(
    Array.from(
      fieldsOf(document),
      ({ name, value }) => [name, name === segments[0] ? narrowed(value, segments.slice(1), position) : value] as const,
    ),
  );
}

function narrowed(value: Value, segments: readonly string[], position: number | undefined): Value {
  if (value.type === bsonType.object && segments.length > 0)
    return documentValue(keepMatchedElement(value.bytes(), segments, position));
  if (value.type !== bsonType.array) return value;
  if (position === undefined)
    throw located(
      51246,
      "Executor error during find command :: caused by :: positional operator '.$' couldn't find a matching element in the array",
    );
  const element = elementsOf(value)[position];
  if (element === undefined)
    throw located(
      51247,
      "Executor error during find command :: caused by :: positional operator '.$' element mismatch",
    );
  return arrayValue([element]);
}
