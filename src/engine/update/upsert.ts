import { EngineError } from "../engine-error.ts";
import { bsonType } from "../bson/types.ts";
import { elementsOf, fieldsOf, fieldsOfValue } from "../bson/walk.ts";
import type { Value } from "../bson/value.ts";
import { isOperatorDocument } from "../query/operators.ts";
import { changeAt, MutableDocument } from "./mutable.ts";

/** The document an upsert begins with: the filter's equalities (manual, "Upsert with Operator Expressions"), `_id` first. */
export function documentFromFilter(filter: Uint8Array): Uint8Array {
  const equalities = new Map<string, Value>();
  collect(filter, equalities);
  const root = new MutableDocument([]);
  const id = equalities.get("_id");
  if (id !== undefined) root.set("_id", id);
  for (const [path, value] of equalities) if (path !== "_id") changeAt(root, path.split("."), () => value, true, path);
  return root.toBytes();
}

function collect(filter: Uint8Array, equalities: Map<string, Value>): void {
  for (const { name, value } of fieldsOf(filter)) {
    if (name === "$and" || (name === "$or" && value.type === bsonType.array && elementsOf(value).length === 1)) {
      for (const clause of elementsOf(value)) collect(clause.bytes(), equalities);
    } else if (!name.startsWith("$")) {
      const equal = equalityOf(value);
      if (equal === undefined) continue;
      if (equalities.has(name))
        throw new EngineError(
          54,
          "NotSingleValueField",
          `cannot infer query fields to set, path '${name}' is matched twice`,
        );
      equalities.set(name, equal);
    }
  }
}

function equalityOf(value: Value): Value | undefined {
  if (value.type === bsonType.regex) return undefined;
  if (!isOperatorDocument(value)) return value;
  for (const field of fieldsOfValue(value)) {
    if (field.name === "$eq") return field.value;
    if (field.name === "$in" && field.value.type === bsonType.array) {
      const members = elementsOf(field.value);
      if (members.length === 1 && members[0]?.type !== bsonType.regex) return members[0];
    }
    if (field.name === "$all" && field.value.type === bsonType.array) {
      const members = elementsOf(field.value);
      if (members.length === 1 && members[0] !== undefined && !isOperatorDocument(members[0])) return members[0];
    }
  }
  return undefined;
}
