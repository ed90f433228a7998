import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Rooms } from "./rooms.ts";

describe("rooms", () => {
  test("that were given back are used again, also one that was exchanged for a larger one", () => {
    const rooms = new Rooms(100);
    const [first, second] = [rooms.take(), rooms.take()];
    first.fill(7);
    rooms.giveBack(second);
    const larger = rooms.larger(first, 60, 500);
    assert.ok(larger.length >= 560);
    assert.deepEqual([...larger.subarray(0, 60)], [...first.subarray(0, 60)]);
    assert.deepEqual(new Set([rooms.take(), rooms.take()]), new Set([first, second]));
    // Of another size: not kept.
    rooms.giveBack(larger);
    assert.notEqual(rooms.take(), larger);
  });
});
