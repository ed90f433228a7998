import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { serialize } from "bson";
import fc from "fast-check";
import { EngineError } from "../engine-error.ts";
import { historyMaxBytes, StatementHistory } from "./statement-history.ts";

describe("what is remembered of statements", () => {
  test("is exactly those that were noted, in whatever order and however often it was kept and read again", () => {
    const id = fc.nat(300);
    fc.assert(
      fc.property(fc.array(fc.array(id)), (commands) => {
        const expected = new Set<number>();
        let history = new StatementHistory(undefined);
        for (const ids of commands) {
          for (const one of ids) {
            assert.equal(history.find(one) !== undefined, expected.has(one));
            if (!expected.has(one)) history.note(one, {});
            expected.add(one);
          }
          history = new StatementHistory(history.finish());
        }
        for (let one = 0; one <= 301; one += 1) assert.equal(history.find(one) !== undefined, expected.has(one));
      }),
    );
  });

  test("takes no more room for a hundred thousand statements in a row than for a few", () => {
    const history = new StatementHistory(undefined);
    for (let id = 0; id < 100_000; id += 1) history.note(id, {});
    assert.ok(history.finish().length < 100);
  });

  test("has what was inserted by updates, what was answered, and the newest entry's time", () => {
    const history = new StatementHistory(undefined);
    const upserted = serialize({ _id: 7 });
    const result = { value: serialize({ _id: 1, n: 1 }), updatedExisting: true };
    history.note(3, { upserted });
    history.note(1, { result });
    history.lastEntry = { seconds: 1_700_000_000, increment: 5 };
    const again = new StatementHistory(history.finish());
    assert.deepEqual(Buffer.from(again.find(3)?.upserted ?? []), Buffer.from(upserted));
    assert.deepEqual(Buffer.from(again.find(1)?.result?.value ?? []), Buffer.from(result.value));
    assert.equal(again.find(1)?.result?.updatedExisting, true);
    assert.deepEqual(again.lastEntry, history.lastEntry);
    assert.equal(again.find(2), undefined);
  });

  test("is bounded", () => {
    const withValue = (length: number): StatementHistory => {
      const history = new StatementHistory(undefined);
      history.note(0, { result: { value: new Uint8Array(length), updatedExisting: true } });
      return history;
    };
    const overhead = withValue(0).finish().length;
    for (const length of [historyMaxBytes - 1, historyMaxBytes])
      assert.equal(withValue(length - overhead).finish().length, length);
    assert.throws(
      () => withValue(historyMaxBytes + 1 - overhead).finish(),
      (error) => error instanceof EngineError && error.code === 257,
    );
  });
});
