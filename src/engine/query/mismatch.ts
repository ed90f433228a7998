import { arrayValue, objectValue } from "../bson/builder.ts";
import { isTruthy } from "../bson/numbers.ts";
import { parsePath, visitPath } from "../bson/path.ts";
import { bsonType, typeName } from "../bson/types.ts";
import { boolValue, documentValue, int32Value, stringValue, type Value } from "../bson/value.ts";
import { elementsOf, type Field, fieldsOf, fieldsOfValue } from "../bson/walk.ts";
import { compileFilter } from "./filter.ts";
import { compileSchema } from "./json-schema/schema.ts";
import { isOperatorDocument } from "./operators/operator.ts";
import type { FilterOptions } from "./tests.ts";

/** Why a document does not fit a query, as `errInfo.details` shows it (manual, "Schema Validation", "Error Output"). */
export function explainMismatch(query: Uint8Array, document: Uint8Array, options: FilterOptions): Value {
  const clauses = clausesOf(query);
  const [only] = clauses;
  if (clauses.length === 1 && only !== undefined) return explainClause(only, document, options);
  return combined("$and", "clausesNotSatisfied", failing(clauses, document, options));
}

/** One condition, as a query of its own. */
interface Clause {
  readonly name: string;
  readonly value: Value;
  readonly query: Uint8Array;
}

type Numbered = readonly (readonly [number, Value])[];

/** The conditions of a query one by one; several operators on one path are several conditions. */
function clausesOf(query: Uint8Array): Clause[] {
  return [...fieldsOf(query)].flatMap(({ name, value }) => {
    if (name.startsWith("$") || !isOperatorDocument(value)) return [clause(name, value)];
    const fields = [...fieldsOfValue(value)];
    if (fields.some((field) => field.name === "$options")) return [clause(name, value)];
    return fields.map((field) => clause(name, objectValue([[field.name, field.value]])));
  });
}

function clause(name: string, value: Value): Clause {
  return { name, value, query: objectValue([[name, value]]).bytes() };
}

function failing(clauses: readonly Clause[], document: Uint8Array, options: FilterOptions): Numbered {
  return clauses.flatMap((one, index) =>
    compileFilter(one.query, options).matches(document)
      ? []
      : [[index, explainClause(one, document, options)] as const],
  );
}

function combined(operator: string, list: string, details: Numbered): Value {
  return objectValue([
    ["operatorName", stringValue(operator)],
    [
      list,
      arrayValue(
        details.map(([index, one]) =>
          objectValue([
            ["index", int32Value(index)],
            ["details", one],
          ]),
        ),
      ),
    ],
  ]);
}

function explainClause({ name, value, query }: Clause, document: Uint8Array, options: FilterOptions): Value {
  switch (name) {
    case "$and":
    case "$or":
      return combined(name, "clausesNotSatisfied", explainEach(value, document, options, false));
    case "$nor":
      return combined(name, "clausesSatisfied", explainEach(value, document, options, true));
    case "$jsonSchema": {
      const schema = compileSchema(value);
      return objectValue([
        ["operatorName", stringValue(name)],
        ...(schema.title === undefined ? [] : ([["title", schema.title]] as const)),
        ...(schema.description === undefined ? [] : ([["description", schema.description]] as const)),
        ["schemaRulesNotSatisfied", arrayValue(schema.explain(documentValue(document)))],
      ]);
    }
    case "$expr":
      return objectValue([
        ["operatorName", stringValue(name)],
        ["specifiedAs", documentValue(query)],
        ["reason", stringValue("expression did not match")],
        ["expressionResult", boolValue(false)],
      ]);
    default:
      return explainPath(name, value, query, document);
  }
}

function explainEach(value: Value, document: Uint8Array, options: FilterOptions, fitting: boolean): Numbered {
  return elementsOf(value).flatMap((element, index) => {
    if (compileFilter(element.bytes(), options).matches(document) !== fitting) return [];
    const details = fitting
      ? objectValue([
          ["specifiedAs", element],
          ["reason", stringValue("clause matched")],
        ])
      : explainMismatch(element.bytes(), document, options);
    return [[index, details] as const];
  });
}

function explainPath(path: string, value: Value, query: Uint8Array, document: Uint8Array): Value {
  const [operator] = isOperatorDocument(value) ? [...fieldsOfValue(value)] : [];
  const name = operator?.name ?? (value.type === bsonType.regex ? "$regex" : "$eq");
  const considered: Value[] = [];
  visitPath(document, 0, parsePath(path), (found) => {
    if (found !== undefined) considered.push(found);
    return false;
  });
  const fields: [string, Value][] = [
    ["operatorName", stringValue(name)],
    ["specifiedAs", documentValue(query)],
    ["reason", stringValue(reasonOf(name, operator, considered.length === 0))],
  ];
  const [only] = considered;
  if (only !== undefined && considered.length === 1) fields.push(["consideredValue", only]);
  if (considered.length > 1) fields.push(["consideredValues", arrayValue(considered)]);
  if (name === "$type" && only !== undefined) fields.push(["consideredType", stringValue(typeName(only.type))]);
  return objectValue(fields);
}

function reasonOf(name: string, operator: Field | undefined, missing: boolean): string {
  if (name === "$exists")
    return operator !== undefined && isTruthy(operator.value) ? "path does not exist" : "path does exist";
  if (missing) return "field was missing";
  switch (name) {
    case "$in":
      return "no matching value found in array";
    case "$nin":
      return "matching value found in array";
    case "$not":
      return "child expression matched";
    case "$type":
      return "type did not match";
    case "$regex":
      return "regular expression did not match";
    case "$size":
      return "array length was not equal to given size";
    case "$elemMatch":
      return "array did not satisfy the child predicate";
    default:
      return "comparison failed";
  }
}
