import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createFakeClock } from "../../test/support/fake-clock.ts";
import { SessionRegistry, sessionTimeoutMs } from "./session-registry.ts";

describe("sessions that were used lately", () => {
  test("are forgotten half an hour after their last use, not before", () => {
    const clock = createFakeClock();
    const sessions = new SessionRegistry(clock);
    sessions.use("a");
    sessions.use("b");
    clock.advance(sessionTimeoutMs);
    assert.equal(sessions.list().length, 2);
    sessions.use("a");
    clock.advance(1);
    assert.deepEqual(
      sessions.list().map(([key]) => key),
      ["a"],
    );
  });

  test("are no more than 10,000, those used last", () => {
    const sessions = new SessionRegistry(createFakeClock());
    for (let number = 0; number < 10_000; number += 1) sessions.use(String(number));
    sessions.use("0");
    assert.equal(sessions.list().length, 10_000);
    sessions.use("new");
    const keys = new Set(sessions.list().map(([key]) => key));
    assert.deepEqual([keys.size, keys.has("0"), keys.has("1"), keys.has("new")], [10_000, true, false, true]);
  });
});
