import { bsonType, EngineError, textOf, type Value } from "../engine/index.ts";

/** An index by name or key pattern; undefined for none, `{}` included. */
export function hintOf(value: Value | undefined): string | Uint8Array | undefined {
  if (value === undefined) return undefined;
  if (value.type === bsonType.string) return textOf(value);
  if (value.type !== bsonType.object) throw new EngineError(9, "FailedToParse", "hint must be a string or an object");
  return value.end - value.start === 5 ? undefined : value.bytes();
}
