import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { type Engine, openEngine } from "../engine/index.ts";
import { hexOf } from "./end-matching.ts";
import { enter, notedSessionsMax } from "./enter-transaction.ts";
import { find } from "./find.ts";

describe("sessions noted as having begun a transaction", () => {
  const folder = mkdtempSync(join(tmpdir(), "telamon-enter-"));
  let engine: Engine;
  before(async () => {
    const clock = { nowMs: () => Date.now(), monotonicMs: () => performance.now() };
    engine = await openEngine({ path: join(folder, "data.sqlite"), clock, randomBytes });
  });
  after(async () => {
    await engine.close();
    rmSync(folder, { recursive: true });
  });

  test("are forgotten when they are too many, but for those whose transactions are open", async () => {
    const transactionSessions = new Set<string>();
    const begin = async (): Promise<string> => {
      const sessionId = randomBytes(48);
      await enter({ sessionId, number: 1n, starts: true }, find, { transactionSessions }, engine);
      return hexOf(sessionId);
    };
    const open = await begin();
    const ended = await begin();
    engine.transactions.abort(Buffer.from(ended, "hex"), 1n);
    while (transactionSessions.size < notedSessionsMax - 1) transactionSessions.add(hexOf(randomBytes(48)));
    const last = await begin();
    assert.equal(transactionSessions.size, notedSessionsMax);
    const next = await begin();
    assert.deepEqual([...transactionSessions], [open, last, next]);
  });
});
