import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Long } from "bson";
import { exhaustAllowed, moreToCome, opMsg, type RawClient } from "../support/raw-client.ts";
import { startWireWorld, type WireWorld } from "../support/wire-world.ts";

describe("cursors that are read to their end by one request", () => {
  let world: WireWorld;
  let raw: RawClient;

  before(async () => {
    world = await startWireWorld();
    raw = await world.raw();
    await raw.login("admin", "password");
    const documents = Array.from({ length: 7 }, (_, _id) => ({ _id }));
    await raw.command({ insert: "orders", documents }, "shop");
  });
  after(() => world.stop());

  const opened = async (): Promise<unknown> =>
    (await raw.command({ find: "orders", batchSize: 2, sort: { _id: 1 } }, "shop"))["cursor"].id;
  const getMore = (id: unknown, flags: number): Buffer =>
    opMsg({ getMore: id, collection: "orders", batchSize: 2, $db: "shop" }, { flags });

  test("batches follow one another, each the answer to the one before, and the last says that it is", async () => {
    raw.send(getMore(await opened(), exhaustAllowed));
    const replies = [await raw.receive(), await raw.receive(), await raw.receive()];
    assert.deepEqual(
      replies.map((reply) => reply?.document["cursor"].nextBatch.map(({ _id }: { _id: number }) => _id)),
      [[2, 3], [4, 5], [6]],
    );
    assert.deepEqual(
      replies.map((reply) => reply?.flags),
      [moreToCome, moreToCome, 0],
    );
    assert.deepEqual(
      replies.slice(1).map((reply) => reply?.responseTo),
      replies.slice(0, 2).map((reply) => reply?.requestId),
    );
    assert.equal((await raw.command({ ping: 1 }))["ok"], 1);
  });

  test("who does not ask for that gets one batch, and an error is one answer", async () => {
    raw.send(getMore(await opened(), 0));
    assert.equal((await raw.receive())?.flags, 0);
    raw.send(getMore(Long.fromNumber(5), exhaustAllowed));
    const failed = await raw.receive();
    assert.deepEqual([failed?.flags, failed?.document["code"]], [0, 43]);
    assert.equal((await raw.command({ ping: 1 }))["ok"], 1);
  });
});
