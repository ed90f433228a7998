import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import fc from "fast-check";
import { serialize } from "bson";
import { EngineError } from "../engine-error.ts";
import { blockingStepMaxBytes, type Flow, memoryOnly } from "./flow.ts";
import { createSortOrder, parseSort } from "./sort.ts";
import { sorted } from "./sorted.ts";
import { QuerySpace } from "../storage/query-space.ts";

const order = createSortOrder(parseSort(serialize({ n: 1 })), undefined);

function* flowOf(documents: Iterable<Uint8Array>): Flow {
  let count = 0;
  for (const document of documents) {
    yield document;
    count += 1;
    if (count % 500 === 0) yield undefined;
  }
}

const numbersOf = (flow: Flow): [number, number][] =>
  [...flow].flatMap((document) => {
    if (document === undefined) return [];
    const view = new DataView(document.buffer, document.byteOffset);
    // {n: int32, place: int32}
    return [[view.getInt32(7, true), view.getInt32(18, true)]];
  });

const documentsOf = (numbers: readonly number[]): Uint8Array[] => numbers.map((n, place) => serialize({ n, place }));

describe("sorting a flow", () => {
  const folder = mkdtempSync(join(tmpdir(), "telamon-sorted-"));
  after(() => rmSync(folder, { recursive: true }));
  /** Less than the documents of most runs take. */
  const space = new QuerySpace(join(folder, "data"), { queryMemoryMaxBytes: 20_000 });

  test("gives every document once, by key, equal keys in the order they came, up to the limit", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 50 }), { maxLength: 3000 }),
        fc.option(fc.integer({ min: 1, max: 4000 }), { nil: undefined }),
        (numbers, limit) => {
          const expected = numbers
            .map((n, place): [number, number] => [n, place])
            .toSorted((one, other) => one[0] - other[0] || one[1] - other[1])
            .slice(0, limit);
          for (const room of [memoryOnly, space])
            assert.deepEqual(numbersOf(sorted(flowOf(documentsOf(numbers)), order, limit, room)), expected);
          assert.equal(space.usedBytes, 0);
        },
      ),
      { numRuns: 40 },
    );
  });

  test("of many more than one stretch holds is right too, and gives way all the time", () => {
    const numbers = Array.from({ length: 50_000 }, (_, place) => (place * 7919) % 50_000);
    const flow = [...sorted(flowOf(documentsOf(numbers)), order, undefined, memoryOnly)];
    assert.deepEqual(
      numbersOf(flowOf(flow.filter((document) => document !== undefined))).map(([n]) => n),
      Array.from({ length: 50_000 }, (_, n) => n),
    );
    let longest = 0;
    let stretch = 0;
    for (const document of flow) {
      stretch = document === undefined ? 0 : stretch + 1;
      longest = Math.max(longest, stretch);
    }
    assert.ok(longest <= 256, `${longest} documents came without a pause`);
    const limited = numbersOf(sorted(flowOf(documentsOf(numbers)), order, 20_000, memoryOnly)).map(([n]) => n);
    assert.deepEqual(
      limited,
      Array.from({ length: 20_000 }, (_, n) => n),
    );
  });

  test("holds 100 MB and not more, but with a limit only what it needs", () => {
    const text = "x".repeat(1_000_000);
    const large = (count: number): Flow =>
      flowOf(
        (function* () {
          for (let n = count; n > 0; n -= 1) yield serialize({ n, place: 0, text });
        })(),
      );
    const fits = Math.floor(blockingStepMaxBytes / 1_000_200);
    assert.equal(numbersOf(sorted(large(fits), order, undefined, memoryOnly)).length, fits);
    assert.throws(
      () => numbersOf(sorted(large(fits + 5), order, undefined, memoryOnly)),
      (error) => error instanceof EngineError && error.code === 292,
    );
    const first = numbersOf(sorted(large(fits + 100), order, 50, memoryOnly)).map(([n]) => n);
    assert.deepEqual(
      first,
      Array.from({ length: 50 }, (_, n) => n + 1),
    );
    assert.throws(
      () => numbersOf(sorted(large(fits + 100), order, fits + 5, memoryOnly)),
      (error) => error instanceof EngineError && error.code === 292,
    );
  });
});
