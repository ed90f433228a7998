import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { sortedList } from "./bson/arrays.ts";
import { EngineError } from "./engine-error.ts";
import {
  charge,
  type Loop,
  looped,
  paused,
  remembered,
  stepsBetweenPauses,
  uninterruptedStepsMax,
  Work,
} from "./steps.ts";

interface Count {
  readonly to: number;
  readonly each: (index: number) => void;
  index: number;
}

const counting: Loop<Omit<Count, "index">, Count, number> = {
  begin: (count) => ({ ...count, index: 0 }),
  step: (state) => {
    if (state.index === state.to) return false;
    state.each(state.index);
    state.index += 1;
    return true;
  },
  end: ({ index }) => index,
};
const count = (to: number, each: (index: number) => void = () => undefined): number => looped(counting, { to, each });

/** Runs work to its end; answers the result and the number of pauses. */
function runWhole<Result>(work: () => Result): readonly [Result, number] {
  const whole = new Work(work);
  for (let pauses = 0; ; pauses += 1) {
    const result = whole.run(undefined);
    if (result !== paused) return [result, pauses];
    assert.ok(pauses < 10_000, "there is no progress");
  }
}

describe("work on one document", () => {
  test("it is left once in so many steps, and each step is done once", () => {
    const done: number[] = [];
    const [result, pauses] = runWhole(() => count(stepsBetweenPauses * 3, (index) => done.push(index)));
    assert.equal(result, stepsBetweenPauses * 3);
    // More where this machine is busy: what lasts long is left before.
    assert.ok(pauses >= 2, `${pauses} pauses`);
    assert.deepEqual(done, [...done.keys()]);
    assert.equal(done.length, result);
  });

  test("it is left sooner where its steps take long", () => {
    const [result, pauses] = runWhole(() =>
      count(100, () => {
        const startedMs = performance.now();
        while (performance.now() - startedMs < 2);
      }),
    );
    assert.equal(result, 100);
    assert.ok(pauses >= 5 && pauses <= 100, `${pauses} pauses`);
  });

  test("loops within loops and one behind the other go on where they were", () => {
    let inner = 0;
    const [result, pauses] = runWhole(() => {
      const first = count(stepsBetweenPauses);
      const second = count(100, () => void count(1000, () => (inner += 1)));
      return first + second;
    });
    assert.equal(result, stepsBetweenPauses + 100);
    assert.equal(inner, 100_000);
    assert.ok(pauses > 10, `${pauses} pauses`);
  });

  test("what is remembered is not done again after a pause", () => {
    let drawn = 0;
    const [result] = runWhole(() => {
      const chance = remembered(() => (drawn += 1));
      count(stepsBetweenPauses * 4);
      return chance;
    });
    assert.deepEqual([result, drawn], [1, 1]);
  });

  test("there is progress also when the way back costs more than a turn has", () => {
    const [, pauses] = runWhole(() => {
      charge(stepsBetweenPauses * 2);
      return count(stepsBetweenPauses * 4);
    });
    assert.ok(pauses <= 6, `${pauses} pauses`);
  });

  test("an error ends it, and the next begins anew", () => {
    const work = new Work((fails: boolean) => {
      count(10);
      if (fails) throw new Error("no");
      return count(20);
    });
    const whole = (fails: boolean): unknown => {
      const result = work.run(fails);
      return result === paused ? work.run(fails) : result;
    };
    assert.throws(() => whole(true), /no/);
    assert.equal(whole(false), 20);
  });

  test("outside of it loops end with 262 beyond the steps that may not be interrupted", () => {
    assert.equal(count(uninterruptedStepsMax), uninterruptedStepsMax);
    assert.throws(
      () => count(uninterruptedStepsMax + 1),
      (error) => error instanceof EngineError && error.code === 262,
    );
  });

  test("long lists are sorted in turns, equal ones as they came", () => {
    const list = Array.from({ length: 50_000 }, (_, place) => ({ place, key: (place * 7919) % 1000 }));
    const [sorted, pauses] = runWhole(() => sortedList(list, (one, other) => one.key - other.key));
    assert.ok(pauses > 5, `${pauses} pauses`);
    assert.deepEqual(
      sorted,
      list.toSorted((one, other) => one.key - other.key),
    );
  });
});
