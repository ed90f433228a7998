import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Thread } from "./thread.ts";

describe("a thread that ends", () => {
  const request = {
    key: new Uint8Array(32),
    bytes: new Uint8Array(100),
    chunks: [{ start: 0, end: 100 }],
    hasRoom: false,
  };

  test("with jobs in hand has them rejected, and says that it is no more", async () => {
    const died = Promise.withResolvers<Thread>();
    const thread = new Thread(() => undefined, died.resolve);
    const answers = [1, 2].map(
      () =>
        new Promise((resolve, reject) => {
          thread.do({ name: "identify", request, memory: [], resolve, reject });
        }),
    );
    assert.equal(thread.waitingCount, 2);
    const all = Promise.allSettled(answers);
    await thread.end();
    for (const answer of await all) {
      assert.equal(answer.status, "rejected");
      assert.match(String(answer.reason), /a thread of the backup store ended/);
    }
    assert.equal(await died.promise, thread);
    assert.equal(thread.waitingCount, 0);
  });

  test("after its jobs has answered them", async () => {
    const answered = Promise.withResolvers<void>();
    const thread = new Thread(answered.resolve, () => undefined);
    const answer = new Promise((resolve, reject) => {
      thread.do({ name: "identify", request, memory: [], resolve, reject });
    });
    await answered.promise;
    await thread.end();
    assert.equal(((await answer) as { readonly ids: Uint8Array }).ids.length, 32);
  });
});
