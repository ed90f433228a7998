import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createFakeClock } from "../../test/support/fake-clock.ts";
import { createRandomIds } from "./ids-random.ts";

describe("random ids", () => {
  test("an object id begins with the clock's seconds and never repeats", () => {
    const ids = createRandomIds(createFakeClock(Date.UTC(2026, 0, 2, 3, 4, 5)));
    const made = Array.from({ length: 5000 }, () => ids.objectId());
    assert.equal(new Set(made).size, made.length);
    for (const id of made) assert.match(id, /^[0-9a-f]{24}$/);
    assert.equal(Number.parseInt((made[0] ?? "").slice(0, 8), 16), Date.UTC(2026, 0, 2, 3, 4, 5) / 1000);
  });

  test("a uuid is version 4 in lower case", () => {
    assert.match(
      createRandomIds(createFakeClock()).uuid(),
      /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
  });

  test("random bytes have the length asked for and own their memory", () => {
    const bytes = createRandomIds(createFakeClock()).randomBytes(28);
    assert.equal(bytes.length, 28);
    assert.equal(bytes.buffer.byteLength, 28);
  });
});
