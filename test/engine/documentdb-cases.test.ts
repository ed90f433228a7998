import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { deserialize, EJSON } from "bson";
import { compileFilter } from "../../src/engine/query/filter.ts";
import { EngineError } from "../../src/engine/engine-error.ts";
import { compileUpdate } from "../../src/engine/update/update.ts";
import { documentFromFilter } from "../../src/engine/update/upsert.ts";
import { bytesOf, type Case, readCases, share, tally } from "./documentdb-cases.ts";

/**
 * Shares right, in percent, that may only rise. What is missing now is mostly what is refused on purpose ($text, pipelines, $jsonSchema) and cases whose documents
 * were replayed incompletely; the issue on the engine goes through them.
 */
const recorded = { match: 69, update: 80 };

const shown = (value: unknown): string => EJSON.stringify(value, { relaxed: false });

/** A refusal is right where an error is expected; any other error is the engine's own failure. */
function outcome(one: Case, run: () => string | undefined): string | undefined {
  try {
    const wrong = run();
    return one.error === undefined ? wrong : "an error was expected";
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    return one.error === undefined ? error.message : undefined;
  }
}

function runMatch(one: Case): string | undefined {
  return outcome(one, () => {
    const filter = compileFilter(bytesOf(one.query));
    const found = (one.documents as Case[]).filter((document) => filter.matches(bytesOf(document)));
    const names = found.map((document) => shown(one.idsOnly === true ? document["_id"] : document)).toSorted();
    const expected = ((one.expected ?? []) as Case[])
      .map((document) => shown(one.idsOnly === true ? Object.values(document)[0] : document))
      .toSorted();
    return shown(names) === shown(expected) ? undefined : `${names.length} found where ${expected.length} are expected`;
  });
}

function runUpdate(one: Case): string | undefined {
  return outcome(one, () => {
    if (Array.isArray(one.update)) throw new EngineError(238, "NotImplemented", "pipelines are refused");
    const inserting = Object.keys(one.document as object).length === 0;
    const query = bytesOf(one.query ?? {});
    const before = inserting ? documentFromFilter(query) : bytesOf(one.document);
    const update = compileUpdate(bytesOf(one.update), ((one.arrayFilters ?? []) as Case[]).map(bytesOf));
    const after = update(before, { filter: compileFilter(query), moment: { nowMs: 0 }, inserting });
    if (one.expected === null) return after === before ? undefined : "it changes something";
    const plain = (bytes: Uint8Array): string =>
      shown(deserialize(bytes, { promoteValues: false, promoteBuffers: false }));
    return plain(after) === plain(bytesOf(one.expected)) ? undefined : plain(after);
  });
}

describe("cases that others wrote", () => {
  for (const [name, run] of [
    ["match", runMatch],
    ["update", runUpdate],
  ] as const) {
    const cases = readCases(name);
    test(
      `${name}: at least ${recorded[name]} % are right`,
      { skip: cases === undefined ? "the cases do not lie beside the repository" : false },
      (context) => {
        const result = tally(cases ?? [], run);
        context.diagnostic(`${name}: ${share(result)} % of ${result.right + result.wrong}`);
        assert.ok(result.right + result.wrong > 300, "hardly any case was read");
        assert.ok(share(result) >= recorded[name], `${share(result)} %`);
      },
    );
  }
});
