import { badValue } from "../engine-error.ts";
import type { Path } from "../bson/path.ts";
import type { Value } from "../bson/value.ts";
import { elementsOf, fieldsOfValue } from "../bson/walk.ts";
import { bsonType } from "../bson/types.ts";
import { type Bounds, boundsOfComparison, boundsOfEquality, boundsOfList, intersectBounds } from "./bounds.ts";
import { queryOperators } from "./operators/index.ts";
import type { OperatorPlace } from "./operators/operator.ts";
import type { Collation } from "./collation.ts";
import type { CompileDocument, DocumentTest } from "./tests.ts";

/** The conditions of a document of operators on a path. `bounds` collects what must hold; undefined where conditions are not all needed. */
export function compileOperators(
  path: Path,
  operators: Value,
  compileDocument: CompileDocument,
  collation: Collation | undefined,
  bounds: Map<string, Bounds> | undefined,
): DocumentTest[] {
  const siblings = [...fieldsOfValue(operators)];
  const place: OperatorPlace = {
    path,
    siblings,
    collation,
    compileDocument,
    compileOperators: (inner, nested) => compileOperators(inner, nested, compileDocument, collation, undefined),
  };
  return siblings.map(({ name, value }) => {
    const operator = queryOperators.get(name);
    if (operator === undefined) throw badValue(`unknown operator: ${name}`);
    const test = operator(value, place);
    if (bounds !== undefined) intersectBounds(bounds, path.text, boundsOf(name, value));
    return test;
  });
}

function boundsOf(name: string, value: Value): Bounds | undefined {
  if (name === "$eq") return boundsOfEquality(value);
  if (name === "$in" && value.type === bsonType.array) return boundsOfList(elementsOf(value));
  return ["$gt", "$gte", "$lt", "$lte"].includes(name) ? boundsOfComparison(name, value) : undefined;
}
