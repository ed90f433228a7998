import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { MessageChannel } from "node:worker_threads";
import { Peer, type PeerOptions } from "./peer.ts";

describe("calls between threads", () => {
  const opened: { close(): void }[] = [];
  after(() => opened.forEach((port) => port.close()));

  function pair(
    answer: PeerOptions["answer"],
    onLog?: PeerOptions["onLog"],
  ): { readonly caller: Peer; readonly answerer: Peer } {
    const { port1, port2 } = new MessageChannel();
    opened.push(port1);
    const caller = new Peer({
      channel: port1,
      answer: async () => undefined,
      ...(onLog === undefined ? {} : { onLog }),
    });
    return { caller, answerer: new Peer({ channel: port2, answer }) };
  }

  test("are answered in any order, each with its own result", async () => {
    const gates = new Map<string, () => void>();
    const { caller } = pair(async (name) => {
      await new Promise<void>((fulfil) => gates.set(name, fulfil));
      return `${name} done`;
    });
    const results = [caller.call("one", {}), caller.call("two", {})];
    while (gates.size < 2) await new Promise((fulfil) => setImmediate(fulfil));
    gates.get("two")?.();
    assert.equal(await results[1], "two done");
    gates.get("one")?.();
    assert.equal(await results[0], "one done");
  });

  test("an error comes across with its message and code, whatever was thrown", async () => {
    const thrown: Record<string, unknown> = {
      numbered: Object.assign(new Error("duplicate"), { code: 11_000 }),
      lettered: Object.assign(new Error("taken"), { code: "EADDRINUSE" }),
      odd: Object.assign(new Error("odd"), { code: () => 1 }),
      text: "just words",
    };
    const { caller } = pair(async (name) => {
      throw thrown[name];
    });
    await assert.rejects(caller.call("numbered", {}), { message: "duplicate", code: 11_000 });
    await assert.rejects(caller.call("lettered", {}), { message: "taken", code: "EADDRINUSE" });
    await assert.rejects(caller.call("odd", {}), { message: "odd" });
    await assert.rejects(caller.call("text", {}), { message: "just words" });
  });

  test("bytes of an argument stay the caller's, and bytes that are an answer arrive alone", async () => {
    // A small buffer lies in a pool with others: moving that would take them along.
    const pooled = Buffer.from("pooled");
    const neighbour = Buffer.from("neighbour");
    const { caller } = pair(async (_name, argument) => (argument as { bytes: Uint8Array }).bytes.toReversed());
    assert.deepEqual(Buffer.from((await caller.call("reverse", { bytes: pooled })) as Uint8Array).toString(), "deloop");
    assert.deepEqual([pooled.toString(), neighbour.toString()], ["pooled", "neighbour"]);
    const { caller: other } = pair(async () => pooled);
    const answer = (await other.call("get", {})) as Uint8Array;
    assert.equal(answer.buffer.byteLength, pooled.length);
    assert.equal(pooled.toString(), "pooled");
  });

  test("what cannot be sent is refused at once, and nothing waits for it", async () => {
    const { caller } = pair(async () => () => undefined);
    await assert.rejects(caller.call("send", { bad: () => undefined }), /could not be cloned/);
    await assert.rejects(caller.call("answer", {}), /could not be cloned/);
  });

  test("breaking off rejects what waits and what is called later", async () => {
    const { caller } = pair(() => new Promise(() => undefined));
    const waiting = caller.call("wait", {});
    caller.breakOff(new Error("the thread has ended"));
    await assert.rejects(waiting, /has ended/);
    await assert.rejects(caller.call("later", {}), /has ended/);
  });

  test("lines for the log arrive as they were sent", async () => {
    const { promise, resolve } = Promise.withResolvers<unknown>();
    const { answerer } = pair(async () => undefined, resolve);
    const line = { kind: "log", level: "warn", fields: { port: 1 }, message: "hello" } as const;
    answerer.send(line);
    assert.deepEqual(await promise, line);
  });
});
