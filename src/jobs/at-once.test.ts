import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { atOnce } from "./at-once.ts";

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await nextTurn();
}

describe("several things at once", () => {
  for (const [count, most] of [
    [1, 1],
    [3, 3],
    [8, 6],
  ] as const)
    test(`are ${most} of six when ${count} may be, begun and answered in their order`, async () => {
      let running = 0;
      let seen = 0;
      const begun: number[] = [];
      const results = await atOnce([5, 4, 3, 2, 1, 0], count, async (item) => {
        begun.push(item);
        running += 1;
        seen = Math.max(seen, running);
        await turns(item);
        running -= 1;
        return item * 2;
      });
      assert.deepEqual(results, [10, 8, 6, 4, 2, 0]);
      assert.deepEqual(begun, [5, 4, 3, 2, 1, 0]);
      assert.equal(seen, most);
    });

  test("stop after the first failure, which is thrown when all have ended", async () => {
    const begun: number[] = [];
    const ended: number[] = [];
    const failing = atOnce([0, 1, 2, 3], 2, async (item, stop) => {
      begun.push(item);
      if (item === 1) throw new Error("the second went wrong");
      try {
        for (let turn = 0; turn < 1000; turn += 1) {
          await nextTurn();
          stop.throwIfAborted();
        }
      } finally {
        await turns(3);
        ended.push(item);
      }
    });
    await assert.rejects(failing, /the second went wrong/);
    assert.deepEqual([begun, ended], [[0, 1], [0]]);
  });

  test("are none when there are none", async () => {
    assert.deepEqual(await atOnce([], 4, async (item) => item), []);
  });
});
