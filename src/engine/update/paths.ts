import { badValue, EngineError } from "../engine-error.ts";
import { refuseDeepPath } from "../bson/path.ts";

/** Segments of an update's path. Throws 56 EmptyFieldName and 2 BadValue for what is no path. */
export function segmentsOf(path: string): readonly string[] {
  if (path === "") throw new EngineError(56, "EmptyFieldName", "An empty update path is not valid.");
  const segments = path.split(".");
  refuseDeepPath(segments);
  if (segments.includes(""))
    throw new EngineError(
      56,
      "EmptyFieldName",
      `The update path '${path}' contains an empty field name, which is not allowed.`,
    );
  const [first] = segments as [string];
  if (isPositional(first))
    throw badValue(`Cannot have positional (i.e. '$') element in the first position in path '${path}'`);
  if (segments.filter((segment) => segment === "$").length > 1)
    throw badValue(`Too many positional (i.e. '$') elements found in path '${path}'`);
  return segments;
}

/** Throws 52 when a field of the document itself is called like an operator: only an insert may make one (manual, "Dollar-Prefixed Field Names"). */
export function refuseDollarPrefix(path: readonly string[]): void {
  const first = path[0] as string;
  if (first.startsWith("$"))
    throw new EngineError(
      52,
      "DollarPrefixedFieldName",
      `The dollar ($) prefixed field '${first}' in '${path.join(".")}' is not allowed in the context of an update`,
    );
}

/** `$`, `$[]` and `$[identifier]`. */
export function isPositional(segment: string): boolean {
  return segment === "$" || (segment.startsWith("$[") && segment.endsWith("]"));
}

/** Identifier of `$[identifier]`; undefined for other segments and for `$[]`. */
export function identifierOf(segment: string): string | undefined {
  return isPositional(segment) && segment.length > 3 ? segment.slice(2, -1) : undefined;
}

/** The order in which new fields come: by name, numbers among each other by value (manual, "Update Operators Behavior"). */
export function comparePaths(one: readonly string[], other: readonly string[]): number {
  for (let index = 0; index < Math.min(one.length, other.length); index += 1) {
    const [left, right] = [one[index] as string, other[index] as string];
    if (left === right) continue;
    if (/^\d{1,15}$/.test(left) && /^\d{1,15}$/.test(right) && Number(left) !== Number(right))
      return Number(left) - Number(right);
    return left < right ? -1 : 1;
  }
  return one.length - other.length;
}

/** Throws 40 ConflictingUpdateOperators when one path is another, or leads into it. */
export function refuseConflicts(paths: readonly (readonly string[])[]): void {
  const whole = new Set<string>();
  for (const path of paths) {
    const text = path.join(".");
    if (whole.has(text)) throw conflict(text, text);
    whole.add(text);
  }
  for (const path of paths)
    for (let length = 1; length < path.length; length += 1) {
      const parent = path.slice(0, length).join(".");
      if (whole.has(parent)) throw conflict(path.join("."), parent);
    }
}

function conflict(path: string, at: string): EngineError {
  return new EngineError(
    40,
    "ConflictingUpdateOperators",
    `Updating the path '${path}' would create a conflict at '${at}'`,
  );
}
