import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { ahead } from "./ahead.ts";

describe("work that is done ahead", () => {
  test("is answered in the order of the items, whichever ends first", async () => {
    const done: number[] = [];
    const results = await Array.fromAsync(
      ahead([3, 2, 1, 0], 3, async (turns) => {
        for (let turn = 0; turn < turns; turn += 1) await nextTurn();
        done.push(turns);
        return turns * 10;
      }),
    );
    assert.deepEqual(results, [30, 20, 10, 0]);
    assert.deepEqual(done, [0, 1, 2, 3]);
  });

  for (const count of [0, 1, 5])
    test(`is never begun for more than ${count} items behind the one in use`, async () => {
      let begun = 0;
      let used = 0;
      const items = (async function* () {
        for (let number = 0; number < 20; number += 1) yield number;
      })();
      for await (const _ of ahead(items, count, async () => (begun += 1))) {
        used += 1;
        await nextTurn();
        assert.ok(begun <= used + count, `${begun} were begun when ${used} were used`);
        assert.ok(begun >= Math.min(20, used + count));
      }
      assert.deepEqual([begun, used], [20, 20]);
    });

  test("that fails is told in its turn, and the items are given back", async () => {
    let returned = false;
    const items = (async function* () {
      try {
        for (let number = 0; ; number += 1) yield number;
      } finally {
        returned = true;
      }
    })();
    const seen: number[] = [];
    await assert.rejects(async () => {
      const results = ahead(items, 3, async (number) => {
        if (number === 2) throw new Error("the third went wrong");
        return number;
      });
      for await (const number of results) seen.push(number);
    }, /the third went wrong/);
    assert.deepEqual(seen, [0, 1]);
    assert.ok(returned);
  });

  test("ends with its items, none at all included", async () => {
    assert.deepEqual(await Array.fromAsync(ahead([], 3, async (item) => item)), []);
  });
});
