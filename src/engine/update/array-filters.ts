import { badValue, failedToParse } from "../engine-error.ts";
import { bsonType } from "../bson/types.ts";
import { elementsOf, fieldsOf } from "../bson/walk.ts";
import type { Collation } from "../query/collation.ts";
import { compileFilter, type Filter } from "../query/filter.ts";
import { identifierOf } from "./paths.ts";

/** Filters of `$[identifier]` by identifier. */
export type ArrayFilters = ReadonlyMap<string, Filter>;

/** Compiles `arrayFilters`; every one must be used by a path, and every identifier in a path have one. Throws 2 BadValue and 9 FailedToParse. */
export function compileArrayFilters(
  arrayFilters: readonly Uint8Array[],
  paths: readonly (readonly string[])[],
  collation: Collation | undefined,
): ArrayFilters {
  const filters = new Map<string, Filter>();
  for (const bytes of arrayFilters) {
    const identifier = onlyIdentifier(bytes);
    if (filters.has(identifier))
      throw failedToParse(`Found multiple array filters with the same top-level field name ${identifier}`);
    filters.set(identifier, compileFilter(bytes, { collation }));
  }
  const used = new Set(paths.flat().flatMap((segment) => identifierOf(segment) ?? []));
  for (const identifier of used)
    if (!filters.has(identifier)) throw badValue(`No array filter found for identifier '${identifier}'`);
  for (const identifier of filters.keys())
    if (!used.has(identifier))
      throw failedToParse(`The array filter for identifier '${identifier}' was not used in the update`);
  return filters;
}

function onlyIdentifier(bytes: Uint8Array): string {
  const names = new Set(namesOf(bytes));
  const [identifier] = names;
  if (identifier === undefined)
    throw failedToParse("Cannot use an expression without a top-level field name in arrayFilters");
  if (names.size > 1)
    throw failedToParse(
      `Error parsing array filter :: caused by :: Expected a single top-level field name, found '${[...names].join("' and '")}'`,
    );
  if (!/^[a-z][A-Za-z0-9]*$/.test(identifier))
    throw badValue(
      `Error parsing array filter :: caused by :: The top-level field name must be an alphanumeric string beginning with a lowercase letter, found '${identifier}'`,
    );
  return identifier;
}

function namesOf(bytes: Uint8Array): string[] {
  return [...fieldsOf(bytes)].flatMap(({ name, value }) => {
    if (!name.startsWith("$")) return [name.split(".", 1)[0] as string];
    if (value.type !== bsonType.array) return [];
    return elementsOf(value).flatMap((element) => (element.type === bsonType.object ? namesOf(element.bytes()) : []));
  });
}
