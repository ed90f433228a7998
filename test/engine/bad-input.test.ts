import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Binary, BSONRegExp, Decimal128, type Document, Long, MaxKey, ObjectId, serialize, Timestamp } from "bson";
import fc from "fast-check";
import { expressionCompiler } from "../../src/engine/aggregate/compiler.ts";
import { pipelineCompiler } from "../../src/engine/aggregate/update-pipeline.ts";
import { validateDocument } from "../../src/engine/bson/validate.ts";
import { EngineError } from "../../src/engine/engine-error.ts";
import { compileFilter } from "../../src/engine/query/filter.ts";
import { queryOperators } from "../../src/engine/query/operators/index.ts";
import { compileProjection } from "../../src/engine/query/projection.ts";
import { createSortKey, parseSort } from "../../src/engine/query/sort.ts";
import { updateOperators } from "../../src/engine/update/operators/index.ts";
import { compileUpdate } from "../../src/engine/update/update.ts";
import { documentFromFilter } from "../../src/engine/update/upsert.ts";

const bytes = (plain: Document): Uint8Array => serialize(plain, { ignoreUndefined: false });

const scalar = fc.oneof(
  fc.integer({ min: -3, max: 10 }),
  fc.double(),
  fc.constantFrom<unknown>("", "a", "$a", "$$ROOT", "a.b", "date", "(", "a|b", "number", null, true, false),
  fc.constantFrom<unknown>(
    Long.MAX_VALUE,
    Long.MIN_VALUE,
    Decimal128.fromString("1E+6000"),
    Decimal128.fromString("NaN"),
    new ObjectId(),
    new Date(0),
    new Timestamp({ t: 1, i: 1 }),
    new Binary(Uint8Array.of(1, 2, 3)),
    new BSONRegExp("a+", "i"),
    new MaxKey(),
  ),
);

const name = fc.constantFrom(
  "a",
  "b",
  "a.b",
  "a.0",
  "a.$",
  "a.$[]",
  "a.$[i]",
  "_id",
  "_id.x",
  "0",
  "",
  ".",
  "a.",
  "$",
  "$a",
  "i",
  "__proto__",
  "constructor",
);

const operator = fc.constantFrom(
  ...queryOperators.keys(),
  "$and",
  "$or",
  "$nor",
  "$expr",
  "$each",
  "$slice",
  "$sort",
  "$position",
  "$meta",
  "$literal",
  "$where",
);

const { value } = fc.letrec<{ value: unknown; inner: Document }>((tie) => ({
  inner: fc.dictionary(fc.oneof(name, operator), tie("value"), { maxKeys: 3, noNullPrototype: true }),
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    scalar,
    fc.array(tie("value"), { maxLength: 3 }),
    tie("inner"),
  ),
}));

const query = fc.dictionary(fc.oneof(name, operator), value, {
  maxKeys: 3,
  noNullPrototype: true,
}) as fc.Arbitrary<Document>;
const stored = fc
  .dictionary(fc.constantFrom("a", "b", "0", "i", "é"), value, { maxKeys: 3, noNullPrototype: true })
  .map((plain) => ({ _id: 1, ...plain }));

/** Nothing but an answer or an error of the engine's may come of it. */
function answeredOrRefused(run: () => void): void {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof EngineError, String((error as Error).stack));
    assert.ok(error.code > 0 && error.codeName !== "" && error.message !== "");
  }
}

describe("bad input of any shape is answered or refused, never worse", () => {
  test("filters", () => {
    fc.assert(
      fc.property(query, stored, (filter, document) => {
        answeredOrRefused(() => {
          const compiled = compileFilter(bytes(filter), { compileExpression: expressionCompiler(new Map()) });
          const position = compiled.positionOf(bytes(document));
          if (position !== undefined) assert.ok(compiled.matches(bytes(document)));
        });
      }),
      { numRuns: 4000 },
    );
  });

  test("projections and sorts", () => {
    fc.assert(
      fc.property(query, stored, fc.boolean(), (specification, document, find) => {
        const compileExpression = expressionCompiler(new Map());
        answeredOrRefused(() => {
          const filter = compileFilter(bytes({ a: 1 }));
          const project = compileProjection(bytes(specification), { find, compileExpression, filter });
          validateDocument(project(bytes(document)));
        });
        answeredOrRefused(() => createSortKey(parseSort(bytes(specification)))(bytes(document)));
      }),
      { numRuns: 3000 },
    );
  });

  test("updates, whose results are documents that keep their `_id`", () => {
    const change = fc.constantFrom(...updateOperators.keys(), "$rename", "$fly");
    const update = fc.oneof(
      fc.dictionary(change, fc.dictionary(name, value, { maxKeys: 3, noNullPrototype: true }), {
        maxKeys: 3,
        noNullPrototype: true,
      }),
      query,
      fc.array(
        fc.dictionary(fc.constantFrom("$set", "$unset", "$project", "$replaceWith", "$match"), value, {
          minKeys: 1,
          maxKeys: 1,
          noNullPrototype: true,
        }),
        { maxLength: 2 },
      ),
    ) as fc.Arbitrary<Document | Document[]>;
    fc.assert(
      fc.property(
        update,
        stored,
        fc.array(query, { maxLength: 2 }),
        fc.boolean(),
        (given, document, arrayFilters, inserting) => {
          answeredOrRefused(() => {
            const compiled = compileUpdate(Array.isArray(given) ? given.map(bytes) : bytes(given), {
              arrayFilters: arrayFilters.map(bytes),
              compilePipeline: pipelineCompiler(new Map()),
            });
            const filter = compileFilter(bytes({ a: 1 }));
            const before = inserting ? documentFromFilter(bytes(document)) : bytes(document);
            const after = compiled(before, { filter, moment: { nowMs: 0 }, inserting });
            validateDocument(after);
          });
        },
      ),
      { numRuns: 6000 },
    );
  });
});
