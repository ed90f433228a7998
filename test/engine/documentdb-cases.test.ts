import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { deserialize, EJSON } from "bson";
import { compilerIn, expressionCompiler, variablesOf } from "../../src/engine/aggregate/compiler.ts";
import { contextOf } from "../../src/engine/aggregate/context.ts";
import { pipelineCompiler } from "../../src/engine/aggregate/update-pipeline.ts";
import { EngineError } from "../../src/engine/engine-error.ts";
import { parseCollation } from "../../src/engine/query/collation.ts";
import { compileFilter } from "../../src/engine/query/filter.ts";
import { compileProjection } from "../../src/engine/query/projection.ts";
import { naturalOrder } from "../../src/engine/read-commands.ts";
import { createSortOrder, parseSort } from "../../src/engine/query/sort.ts";
import { compileUpdate } from "../../src/engine/update/update.ts";
import { documentFromFilter } from "../../src/engine/update/upsert.ts";
import {
  bytesOf,
  type Case,
  type Outcome,
  readCases,
  right,
  share,
  tally,
  unjudged,
  wrong,
} from "./documentdb-cases.ts";
import { exceptions } from "./documentdb-exceptions.ts";

/** Shares right of the judged cases, in percent, that may only rise. */
const recorded = { match: 100, update: 100, find: 100 };

const shown = (value: unknown): string => EJSON.stringify(value, { relaxed: false });
const plain = (bytes: Uint8Array): unknown => deserialize(bytes, { promoteValues: false, promoteBuffers: false });

/** A refusal is right where an error is expected; what is not supported is refused on purpose, and any other error is the engine's own failure. */
function judged(one: Case, run: () => Outcome): Outcome {
  try {
    const outcome = run();
    return one.error === undefined ? outcome : wrong(`an error was expected: ${one.error}`);
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    if (one.error !== undefined) return right;
    return error.code === 238 ? unjudged(error.message) : wrong(error.message);
  }
}

/** The documents as they stood at last: where the replay has several states of one, the newest. */
function newest(documents: readonly Case[]): readonly Case[] {
  return [...new Map(documents.map((document) => [shown(document["_id"]), document])).values()];
}

/** Whether the replay of earlier statements gave the case the documents that it was recorded with. */
function replayFault(names: readonly string[], expected: readonly string[]): string | undefined {
  return expected.some((name) => !names.includes(name)) ? "documents are missing" : undefined;
}

/** Where the replay has several states of a document, only what comes out right says something: the case may have met another state. */
function unlessMixed(documents: readonly Case[], outcome: Outcome): Outcome {
  return outcome.kind === "wrong" && newest(documents).length < documents.length
    ? unjudged("documents of several states of the collection are mixed")
    : outcome;
}

function runMatch(one: Case): Outcome {
  const documents = newest(one.documents as Case[]);
  const expected = (one.expected ?? []) as Case[];
  const nameOf = (document: Case): string => shown(one.idsOnly === true ? document["_id"] : document);
  const wanted = expected.map((document) =>
    one.idsOnly === true ? shown(Object.values(document)[0]) : nameOf(document),
  );
  const fault = replayFault(documents.map(nameOf), wanted);
  if (fault !== undefined) return unjudged(fault);
  return judged(one, () => {
    const filter = compileFilter(bytesOf(one.query), { compileExpression: expressionCompiler(new Map()) });
    const found = documents.filter((document) => filter.matches(bytesOf(document))).map(nameOf);
    return shown(found.toSorted()) === shown(wanted.toSorted())
      ? right
      : wrong(`${found.length} found, ${wanted.length} expected`);
  });
}

function runUpdate(one: Case): Outcome {
  return judged(one, () => {
    const inserting = Object.keys(one.document as object).length === 0;
    const query = bytesOf(one.query ?? {});
    const given = one.update as Case | Case[];
    const update = compileUpdate(Array.isArray(given) ? given.map(bytesOf) : bytesOf(given), {
      arrayFilters: ((one.arrayFilters ?? []) as Case[]).map(bytesOf),
      compilePipeline: pipelineCompiler(new Map()),
    });
    const before = inserting ? documentFromFilter(query) : bytesOf(one.document);
    const after = update(before, { filter: compileFilter(query), moment: { nowMs: 0 }, inserting });
    if (one.expected === null) return after === before ? right : wrong("it changes something");
    return shown(plain(after)) === shown(plain(bytesOf(one.expected))) ? right : wrong(shown(plain(after)));
  });
}

function runFind(one: Case): Outcome {
  const spec = one.spec as Case;
  const documents = newest(one.documents as Case[]);
  const expected = (one.expected ?? []) as Case[];
  const fault = replayFault(
    documents.map((document) => shown(document["_id"])),
    expected.filter((document) => "_id" in document).map((document) => shown(document["_id"])),
  );
  if (fault !== undefined) return unjudged(fault);
  return judged(one, () => {
    const collation = spec.collation === undefined ? undefined : parseCollation(bytesOf(spec.collation));
    const variables = variablesOf(spec.let === undefined ? undefined : bytesOf(spec.let));
    const compileExpression = compilerIn(contextOf(variables, collation));
    const filter = compileFilter(bytesOf(spec.filter ?? {}), { compileExpression, collation });
    const natural = naturalOrder(bytesOf(spec.sort ?? {}));
    const order = createSortOrder(natural === undefined ? parseSort(bytesOf(spec.sort ?? {})) : [], collation);
    const project = compileProjection(bytesOf(spec.projection ?? {}), { find: true, compileExpression, filter });
    const skip = Number(spec.skip ?? 0);
    const limit = Math.abs(Number(spec.limit ?? 0)) || documents.length;
    const stored = documents.map(bytesOf);
    const found = (natural !== undefined && Number((spec.sort as Case)["$natural"]) < 0 ? stored.toReversed() : stored)
      .filter((document) => filter.matches(document))
      .toSorted((left, right) => order.compare(order.keyOf(left), order.keyOf(right)))
      .slice(skip, skip + limit)
      .map((document) => shown(plain(project(document))));
    const wanted = expected.map(shown);
    const same = one.ordered === true ? found : found.toSorted();
    return shown(same) === shown(one.ordered === true ? wanted : wanted.toSorted())
      ? right
      : wrong(`${shown(found)} where ${shown(wanted)} is expected`);
  });
}

describe("cases that others wrote", () => {
  for (const [name, run] of [
    ["match", runMatch],
    ["update", runUpdate],
    ["find", runFind],
  ] as const) {
    const cases = readCases(name);
    test(
      `${name}: at least ${recorded[name]} % of what can be judged is right`,
      { skip: cases === undefined ? "the cases do not lie beside the repository" : false },
      (context) => {
        const result = tally(cases ?? [], exceptions[name] ?? {}, (one) =>
          unlessMixed((one.documents ?? []) as Case[], run(one)),
        );
        const count = result.right + result.misses.length;
        context.diagnostic(`${name}: ${share(result)} % of ${count} are right`);
        for (const [why, times] of result.unjudged) context.diagnostic(`${name}: ${times} not judged: ${why}`);
        for (const { line, why } of result.misses) context.diagnostic(`${name}: line ${line}: ${why.slice(0, 200)}`);
        assert.ok(count > 90, "hardly any case was judged");
        assert.ok(share(result) >= recorded[name], `${share(result)} %`);
      },
    );
  }
});
