import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createSystemClock } from "./clock-system.ts";

describe("the system clock", () => {
  test("a sleep lasts at least its delay by the monotonic clock", async () => {
    const clock = createSystemClock();
    const before = clock.monotonicMs();
    // The timer does not keep the process alive, so something else must.
    const alive = setInterval(() => {}, 1000);
    await clock.sleep(5);
    clearInterval(alive);
    assert.ok(clock.monotonicMs() - before >= 4);
  });

  test("an aborted sleep rejects with the signal's own reason, before and during", async () => {
    const clock = createSystemClock();
    const reason = new Error("stopping");
    await assert.rejects(clock.sleep(60_000, AbortSignal.abort(reason)), reason);
    const controller = new AbortController();
    const sleeping = clock.sleep(60_000, controller.signal);
    controller.abort(reason);
    await assert.rejects(sleeping, reason);
  });

  test("a delay longer than a timer can hold does not end at once", async () => {
    const clock = createSystemClock();
    const controller = new AbortController();
    let ended = false;
    const sleeping = clock.sleep(2 ** 40, controller.signal).then(
      () => (ended = true),
      () => {},
    );
    const alive = setInterval(() => {}, 1000);
    await clock.sleep(20);
    clearInterval(alive);
    assert.equal(ended, false);
    controller.abort();
    await sleeping;
  });
});
