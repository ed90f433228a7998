import {
  bsonType,
  type Engine,
  EngineError,
  getField,
  isTruthy,
  type Namespace,
  textOf,
  type Value,
} from "../engine/index.ts";

/** An index by name or key pattern; undefined for none, `{}` included. */
export function hintOf(value: Value | undefined): string | Uint8Array | undefined {
  if (value === undefined) return undefined;
  if (value.type === bsonType.string) return textOf(value);
  if (value.type !== bsonType.object) throw new EngineError(9, "FailedToParse", "hint must be a string or an object");
  return value.end - value.start === 5 ? undefined : value.bytes();
}

/**
 * For commands whose plan is the engine's own choice: the answer is the same whichever index is used, so a hint only has to be right. Throws 2 BadValue
 * for an index that is not there, 238 for a sparse one, by which documents would be left out.
 */
export async function requireHint(
  engine: Engine,
  namespace: Namespace,
  hint: string | Uint8Array | undefined,
  signal: AbortSignal,
): Promise<void> {
  if (hint === undefined || hint === "$natural") return;
  const wanted = typeof hint === "string" ? hint : undefined;
  if (typeof hint !== "string" && getField(hint, "$natural") !== undefined) return;
  const indexes = await listed(engine, namespace, signal);
  // A collection that is not there has no documents either.
  if (indexes === undefined) return;
  const found = indexes.find((index) => {
    const name = getField(index, "name");
    const key = getField(index, "key");
    if (wanted !== undefined) return name?.type === bsonType.string && textOf(name) === wanted;
    return key !== undefined && Buffer.compare(key.bytes(), hint as Uint8Array) === 0;
  });
  if (found === undefined)
    throw new EngineError(
      2,
      "BadValue",
      "error processing query: planner returned error :: caused by :: hint provided does not correspond to an existing index",
    );
  const sparse = getField(found, "sparse");
  if (sparse !== undefined && isTruthy(sparse))
    throw new EngineError(238, "NotImplemented", "a hint of a sparse index is not supported by this server");
}

async function listed(
  engine: Engine,
  namespace: Namespace,
  signal: AbortSignal,
): Promise<readonly Uint8Array[] | undefined> {
  try {
    return await engine.listIndexes(namespace, { signal });
  } catch (error) {
    if (error instanceof EngineError && error.codeName === "NamespaceNotFound") return undefined;
    throw error;
  }
}
