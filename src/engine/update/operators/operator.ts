import { EngineError } from "../../engine-error.ts";
import { bsonType, typeName } from "../../bson/types.ts";
import { allElements } from "../../bson/arrays.ts";
import type { Value } from "../../bson/value.ts";
import type { Collation } from "../../query/collation.ts";

/** When an update runs: milliseconds since 1970, for `$currentDate`. */
export interface UpdateMoment {
  readonly nowMs: number;
}

/** What becomes of the value at a place; `undefined` stands for a place that holds nothing. The same value back changes nothing. */
export type OperatorChange = (current: Value | undefined, moment: UpdateMoment) => Value | undefined;

/** Makes the change for `{$operator: {path: argument}}`. Throws 2, 9, 14 and others for arguments that do not fit. */
export type UpdateOperator = (argument: Value, path: string, collation: Collation | undefined) => OperatorChange;

/** Elements of an array to be changed; none when nothing is there. Throws 2 BadValue on what is no array. */
export function arrayElements(current: Value | undefined, operator: string, path: string): readonly Value[] {
  if (current === undefined) return [];
  if (current.type === bsonType.array) return allElements(current);
  throw new EngineError(
    2,
    "BadValue",
    `The field '${path}' must be an array but is of type ${typeName(current.type)} (${operator})`,
  );
}
