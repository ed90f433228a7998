import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { EngineError } from "../engine-error.ts";
import { LogFlush } from "./log-flush.ts";

describe("the flush of the log", () => {
  const folder = mkdtempSync(join(tmpdir(), "telamon-flush-"));
  const path = join(folder, "log");
  writeFileSync(path, "");
  after(() => rmSync(folder, { recursive: true }));

  /** Flushes that end when told to. */
  function controlled(): { readonly flush: LogFlush; readonly running: PromiseWithResolvers<void>[] } {
    const running: PromiseWithResolvers<void>[] = [];
    const flush = new LogFlush(path, () => {
      const one = Promise.withResolvers<void>();
      running.push(one);
      return one.promise;
    });
    return { flush, running };
  }

  async function isDone(promise: Promise<void>): Promise<boolean> {
    let done = false;
    void promise.then(() => (done = true));
    await nextTurn();
    return done;
  }

  test("nobody waits when nothing was committed", async () => {
    const { flush, running } = controlled();
    await flush.flushed();
    assert.equal(running.length, 0);
  });

  test("a commit is durable when a flush that began after it has ended, and not before", async () => {
    const { flush, running } = controlled();
    flush.noteCommit();
    const first = flush.flushed();
    flush.noteCommit();
    const second = flush.flushed();
    assert.equal(running.length, 1);
    running[0]?.resolve();
    assert.deepEqual([await isDone(first), await isDone(second)], [true, false]);
    assert.equal(running.length, 2);
    running[1]?.resolve();
    assert.equal(await isDone(second), true);
  });

  test("one flush serves all commits before it", async () => {
    const { flush, running } = controlled();
    flush.noteCommit();
    const first = flush.flushed();
    const rest = Array.from({ length: 16 }, () => {
      flush.noteCommit();
      return flush.flushed();
    });
    running[0]?.resolve();
    await first;
    await nextTurn();
    running[1]?.resolve();
    await Promise.all(rest);
    assert.equal(running.length, 2);
  });

  test("after the disk refused once nothing is called durable any more", async () => {
    const { flush, running } = controlled();
    flush.noteCommit();
    const first = flush.flushed();
    running[0]?.reject(new Error("EIO"));
    const refused = (error: unknown): boolean => error instanceof EngineError && /EIO/.test(error.message);
    await assert.rejects(first, refused);
    flush.noteCommit();
    await assert.rejects(flush.flushed(), refused);
    assert.equal(running.length, 1);
    await flush.close();
  });

  test("a log that is not there is a disk that did not take the write", async () => {
    const flush = new LogFlush(join(folder, "missing"));
    flush.noteCommit();
    await assert.rejects(flush.flushed(), /ENOENT/);
  });
});
