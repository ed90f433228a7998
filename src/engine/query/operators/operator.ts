import type { Path } from "../../bson/path.ts";
import { bsonType } from "../../bson/types.ts";
import type { Value } from "../../bson/value.ts";
import { type Field, fieldsOfValue } from "../../bson/walk.ts";
import type { Collation } from "../collation.ts";
import type { CompileDocument, DocumentTest } from "../tests.ts";

/** What an operator stands in. */
export interface OperatorPlace {
  readonly path: Path;
  /** All fields of the document that the operator is in: `$regex` looks for its `$options`. */
  readonly siblings: readonly Field[];
  readonly collation: Collation | undefined;
  readonly compileDocument: CompileDocument;
  /** Conditions of a document of operators on a path. */
  readonly compileOperators: (path: Path, operators: Value) => DocumentTest[];
}

/** Makes the test of `{path: {$operator: argument}}`. Throws 2 BadValue and others for arguments that do not fit. */
export type QueryOperator = (argument: Value, place: OperatorPlace) => DocumentTest;

/** `{$gt: 1}` and its like: a document whose first field is an operator. */
export function isOperatorDocument(value: Value): boolean {
  if (value.type !== bsonType.object) return false;
  const first = fieldsOfValue(value).next();
  if (first.done === true) return false;
  return first.value.name.startsWith("$") && !["$ref", "$id", "$db"].includes(first.value.name);
}
