import { type EngineError, located } from "../engine-error.ts";
import { refuseDeepPath } from "./path.ts";

/** Names of the parts of a DBRef, the ones with a dollar that paths may hold. */
const referenceNames: ReadonlySet<string> = new Set(["$ref", "$id", "$db"]);

/** Throws 15998 and 16410 unless the name may stand in the paths of projections, stages and expressions. */
export function checkFieldName(name: string): void {
  if (name === "") throw located(15_998, "FieldPath field names may not be empty strings.");
  if (name.startsWith("$") && !referenceNames.has(name)) throw dollarName();
}

export function dollarName(): EngineError {
  return located(16_410, "FieldPath field names may not start with '$'. Consider using $getField or $setField.");
}

/** The names of a path that a stage is given without a dollar. Throws 40352, 40353, 15998 and 16410 for what is none. */
export function fieldPathOf(path: string): readonly string[] {
  if (path === "") throw located(40_352, "FieldPath cannot be constructed with empty string");
  if (path.endsWith(".")) throw located(40_353, "FieldPath must not end with a '.'.");
  const segments = path.split(".");
  refuseDeepPath(segments);
  for (const segment of segments) checkFieldName(segment);
  return segments;
}
