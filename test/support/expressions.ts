import assert from "node:assert/strict";
import { test } from "node:test";
import { deserialize, type Document, EJSON, serialize } from "bson";
import { documentValue, nullValue } from "../../src/engine/bson/value.ts";
import { objectValue } from "../../src/engine/bson/builder.ts";
import { getField } from "../../src/engine/bson/walk.ts";
import { EngineError } from "../../src/engine/engine-error.ts";
import { contextOf } from "../../src/engine/aggregate/context.ts";
import { compileExpression } from "../../src/engine/aggregate/expression.ts";

/** Canonical Extended JSON of what an expression gives for a document; `undefined` for nothing. */
export function evaluated(expression: unknown, document: Document = {}): string {
  const bytes = serialize({ e: expression }, { ignoreUndefined: false });
  const compiled = compileExpression(getField(bytes, "e") ?? nullValue, contextOf(new Map()));
  const value = compiled(documentValue(serialize(document, { ignoreUndefined: false })));
  if (value === undefined) return "undefined";
  const wrapped = deserialize(objectValue([["v", value]]).bytes(), { promoteValues: false });
  return EJSON.stringify(wrapped["v"], { relaxed: false });
}

/** One test for each: a promise, an expression, what it gives, and the document it is given. */
export function promise(cases: readonly (readonly [string, unknown, unknown, Document?])[]): void {
  for (const [name, expression, expected, document] of cases)
    test(name, () => {
      const wanted = expected === undefined ? "undefined" : EJSON.stringify(expected, { relaxed: false });
      assert.equal(evaluated(expression, document), wanted);
    });
}

/** One test for each expression that is refused, with its code. */
export function refuse(cases: readonly (readonly [unknown, number, Document?])[]): void {
  for (const [expression, code, document] of cases)
    test(`${EJSON.stringify(expression)} is refused with ${code}`, () => {
      assert.throws(
        () => evaluated(expression, document),
        (error) => error instanceof EngineError && error.code === code,
      );
    });
}
