import { bsonType } from "../bson/types.ts";
import { stringValue, undefinedValue, type Value } from "../bson/value.ts";
import { elementsOf, fieldsOf, fieldsOfValue } from "../bson/walk.ts";
import { encodeKey } from "../bson/key.ts";

/** A value that a wildcard index has, and the path that leads to it. */
export interface WildcardValue {
  readonly path: string;
  readonly value: Value;
}

/** Whether a path is among those of a wildcard index below `root`, which is empty for all paths but `_id` (manual, "Wildcard Indexes"). */
export function isBelow(root: string, path: string): boolean {
  if (root === "") return path !== "_id" && !path.startsWith("_id.");
  return path === root || path.startsWith(`${root}.`);
}

/** What keys of a path begin with. */
export function pathKey(path: string): Uint8Array {
  return encodeKey(stringValue(path));
}

/**
 * Values of a document that a wildcard index has, by paths as queries write them: arrays on the way are opened, one at the path's end gives its elements, and documents
 * are gone through and are no values themselves. `most`: how many there may be; undefined when there are more.
 */
export function wildcardValues(document: Uint8Array, root: string, most: number): readonly WildcardValue[] | undefined {
  const found: WildcardValue[] = [];
  const visit = (path: string, value: Value): boolean => {
    if (value.type === bsonType.object) return inside(path, value);
    if (value.type !== bsonType.array) return note(path, value);
    const elements = elementsOf(value);
    if (elements.length === 0) return note(path, undefinedValue);
    return elements.every((element) =>
      element.type === bsonType.object ? inside(path, element) : note(path, element),
    );
  };
  const inside = (path: string, value: Value): boolean => {
    for (const field of fieldsOfValue(value)) if (!visit(`${path}.${field.name}`, field.value)) return false;
    return true;
  };
  const note = (path: string, value: Value): boolean => {
    if (isBelow(root, path)) found.push({ path, value });
    return found.length <= most;
  };
  for (const { name, value } of fieldsOf(document)) {
    const mayLead = root === "" ? name !== "_id" : root === name || root.startsWith(`${name}.`);
    if (mayLead && !visit(name, value)) return undefined;
  }
  return found;
}
