import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createFakeClock } from "../../test/support/fake-clock.ts";
import { createRandomIds } from "../adapters/ids-random.ts";
import type { EngineCursor } from "../engine/index.ts";
import { CursorRegistry } from "./cursor-registry.ts";

class EndlessCursor implements EngineCursor {
  exhausted = false;
  async next(): Promise<readonly Uint8Array[]> {
    return [];
  }
  close(): void {
    this.exhausted = true;
  }
}

const session = (byte: number): Uint8Array => new Uint8Array(16).fill(byte);
const about = { namespace: "shop.orders", userName: "ann", sessionId: session(1), neverIdle: false };
const ann = { namespace: "shop.orders", userName: "ann", sessionId: session(1), transactionNumber: undefined };
const read = async (cursor: EngineCursor): Promise<readonly Uint8Array[]> =>
  cursor.next({ maxDocuments: 1, maxBytes: 1 }, new AbortController().signal);

function registry(): { readonly clock: ReturnType<typeof createFakeClock>; readonly cursors: CursorRegistry } {
  const clock = createFakeClock();
  return { clock, cursors: new CursorRegistry(clock, createRandomIds(clock)) };
}

describe("open cursors", () => {
  test("ids are positive, and no two are the same", () => {
    const { cursors } = registry();
    const ids = Array.from({ length: 500 }, () => cursors.add(new EndlessCursor(), about));
    assert.equal(new Set(ids).size, 500);
    assert.ok(ids.every((id) => id > 0n && id < 2n ** 63n));
  });

  test("a cursor is only its user's, its session's and its collection's", async () => {
    const { cursors } = registry();
    const id = cursors.add(new EndlessCursor(), about);
    await cursors.use(id, ann, read);
    await assert.rejects(cursors.use(id, { ...ann, userName: "bob" }, read), { code: 13 });
    await assert.rejects(cursors.use(id, { ...ann, namespace: "shop.other" }, read), { code: 13 });
    await assert.rejects(cursors.use(id, { ...ann, sessionId: undefined }, read), { code: 50_737 });
    await assert.rejects(cursors.use(id, { ...ann, sessionId: session(2) }, read), { code: 50_738 });
    await assert.rejects(cursors.use(id + 1n, ann, read), { code: 43 });
    assert.equal(cursors.kill(id, "bob"), false);
    assert.equal(cursors.kill(id, "ann"), true);
    await assert.rejects(cursors.use(id, ann, read), { code: 43 });
  });

  test("ten minutes without a question are the end of it, unless it was said otherwise; being read does not count", async () => {
    const { clock, cursors } = registry();
    const id = cursors.add(new EndlessCursor(), about);
    const never = cursors.add(new EndlessCursor(), { ...about, neverIdle: true });
    clock.advance(600_000);
    await cursors.use(id, ann, read);
    await cursors.use(id, ann, async () => {
      clock.advance(600_001);
      cursors.closeIdle();
    });
    clock.advance(600_000);
    cursors.closeIdle();
    assert.equal(cursors.size, 2);
    clock.advance(1);
    await assert.rejects(cursors.use(id, ann, read), { code: 43 });
    clock.advance(600_001);
    await cursors.use(never, ann, read);
  });

  test("a cursor killed while it is read gives an error and not its end", async () => {
    const { cursors } = registry();
    const id = cursors.add(new EndlessCursor(), about);
    await assert.rejects(
      cursors.use(id, ann, async () => cursors.kill(id, "ann")),
      { code: 237 },
    );
    assert.equal(cursors.size, 0);
  });

  test("two cannot read by one cursor at a time", async () => {
    const { cursors } = registry();
    const id = cursors.add(new EndlessCursor(), about);
    await cursors.use(id, ann, () => assert.rejects(cursors.use(id, ann, read), { code: 12_051 }));
    await cursors.use(id, ann, read);
  });

  test("the end of sessions closes what they left open and nothing else", () => {
    const { cursors } = registry();
    cursors.add(new EndlessCursor(), about);
    const other = cursors.add(new EndlessCursor(), { ...about, sessionId: session(2) });
    const none = cursors.add(new EndlessCursor(), { ...about, sessionId: undefined });
    cursors.endSessions((key) => key.startsWith("01"));
    assert.equal(cursors.size, 2);
    assert.equal(cursors.kill(other, "ann"), true);
    assert.equal(cursors.kill(none, "ann"), true);
  });

  test("no more than 10,000 are open, and the one too many is closed", () => {
    const { clock, cursors } = registry();
    for (let count = 0; count < 10_000; count += 1) cursors.add(new EndlessCursor(), about);
    const refused = new EndlessCursor();
    assert.throws(() => cursors.add(refused, about), { code: 2 });
    assert.equal(refused.exhausted, true);
    clock.advance(600_001);
    cursors.add(new EndlessCursor(), about);
    assert.equal(cursors.size, 1);
  });
});
