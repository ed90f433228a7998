import { EngineError } from "../engine-error.ts";
import { refuseDeepPath } from "../bson/path.ts";
import { bsonType } from "../bson/types.ts";
import { elementsOf, fieldsOf, fieldsOfValue } from "../bson/walk.ts";
import type { Value } from "../bson/value.ts";
import { isOperatorDocument } from "../query/operators/operator.ts";
import { changeAt, MutableDocument } from "./mutable.ts";

/** The document an upsert begins with: the filter's equalities (manual, "Upsert with Operator Expressions"), `_id` first. */
export function documentFromFilter(filter: Uint8Array): Uint8Array {
  const equalities = new Map<string, Value>();
  collect(filter, equalities);
  refuseNested(equalities);
  const root = new MutableDocument([]);
  const id = equalities.get("_id");
  if (id !== undefined) root.set("_id", id);
  for (const [path, value] of equalities) {
    if (path === "_id") continue;
    const segments = path.split(".");
    refuseDeepPath(segments);
    if (segments.includes(""))
      throw new EngineError(
        56,
        "EmptyFieldName",
        `The path '${path}' contains an empty field name, which is not allowed.`,
      );
    changeAt(root, segments, () => value, true, path);
  }
  root.putFirst("_id");
  return root.toBytes();
}

function collect(filter: Uint8Array, equalities: Map<string, Value>): void {
  for (const { name, value } of fieldsOf(filter)) {
    if (name === "$and" || (name === "$or" && value.type === bsonType.array && elementsOf(value).length === 1)) {
      for (const clause of elementsOf(value)) collect(clause.bytes(), equalities);
    } else if (!name.startsWith("$")) {
      for (const equal of equalitiesOf(value)) add(equalities, name, equal);
    }
  }
}

/** Throws 54 NotSingleValueField when a path is given twice. */
function add(equalities: Map<string, Value>, path: string, value: Value): void {
  if (equalities.has(path)) throw notSingle(`cannot infer query fields to set, path '${path}' is matched twice`);
  equalities.set(path, value);
}

/** Throws 54 NotSingleValueField when a path leads into another. */
function refuseNested(equalities: ReadonlyMap<string, Value>): void {
  for (const path of equalities.keys())
    for (let dot = path.indexOf("."); dot !== -1; dot = path.indexOf(".", dot + 1))
      if (equalities.has(path.slice(0, dot)))
        throw notSingle(
          `cannot infer query fields to set, both paths '${path}' and '${path.slice(0, dot)}' are matched`,
        );
}

function notSingle(message: string): EngineError {
  return new EngineError(54, "NotSingleValueField", message);
}

/** Values that a condition says a path has. Several in `$in` say nothing, several in `$all` say too much. */
function equalitiesOf(condition: Value): Value[] {
  if (condition.type === bsonType.regex) return [];
  if (!isOperatorDocument(condition)) return [condition];
  return [...fieldsOfValue(condition)].flatMap(({ name, value }) => {
    if (name === "$eq") return [value];
    const members = value.type === bsonType.array && (name === "$in" || name === "$all") ? elementsOf(value) : [];
    if (name === "$in" && members.length !== 1) return [];
    return members.filter((member) => member.type !== bsonType.regex && !isOperatorDocument(member));
  });
}
