import { EngineError } from "../engine-error.ts";
import { equalValues } from "../bson/compare.ts";
import { bsonType, typeName } from "../bson/types.ts";
import type { Value } from "../bson/value.ts";
import { fieldsOfValue, getField } from "../bson/walk.ts";

/** Throws 66 ImmutableField when an update changes `_id`; an insert may still get one. */
export function refuseChangedId(before: Uint8Array, after: Uint8Array, inserting: boolean): void {
  const old = getField(before, "_id");
  const now = getField(after, "_id");
  if (inserting && old === undefined) return;
  if (old === undefined && now === undefined) return;
  if (old === undefined || now === undefined || !equalValues(old, now))
    throw new EngineError(
      66,
      "ImmutableField",
      "Performing an update on the path '_id' would modify the immutable field '_id'",
    );
}

/** Throws 53 InvalidIdField for types that `_id` must not have, 52 DollarPrefixedFieldName for fields in it that look like operators (manual, "Documents"). */
export function refuseBadId(id: Value | undefined): void {
  if (id === undefined) return;
  if (id.type === bsonType.array || id.type === bsonType.regex || id.type === bsonType.undefined)
    throw new EngineError(53, "InvalidIdField", `The '_id' value cannot be of type ${typeName(id.type)}`);
  if (id.type !== bsonType.object) return;
  for (const { name } of fieldsOfValue(id))
    if (name.startsWith("$"))
      throw new EngineError(
        52,
        "DollarPrefixedFieldName",
        `_id fields may not contain '$'-prefixed fields: ${name} is not valid for storage.`,
      );
}
