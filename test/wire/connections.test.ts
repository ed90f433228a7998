import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Binary, Long, type Document, serialize } from "bson";
import type { EngineCursor } from "../../src/engine/index.ts";
import { createFakeClock } from "../support/fake-clock.ts";
import {
  checksumPresent,
  exhaustAllowed,
  int32,
  moreToCome,
  opMsg,
  opQuery,
  rawMessage,
} from "../support/raw-client.ts";
import { databaseUser, startWireWorld, type WireWorld } from "../support/wire-world.ts";

describe("a connection, byte by byte", () => {
  let world: WireWorld;
  before(async () => {
    world = await startWireWorld();
  });
  after(() => world.stop());

  test("requests are answered one after the other, in the order they came", async () => {
    const client = await world.raw();
    await client.login("admin", "password");
    const documents = Array.from({ length: 2000 }, (_, n) => serialize({ n, text: "x".repeat(100) }));
    client.send(
      Buffer.concat([
        opMsg({ insert: "order", $db: "wire" }, { requestId: 1, sequences: { documents } }),
        opMsg({ count: "order", $db: "wire" }, { requestId: 2 }),
        opMsg({ ping: 1, $db: "admin" }, { requestId: 3 }),
      ]),
    );
    const replies = [await client.receive(), await client.receive(), await client.receive()];
    assert.deepEqual(
      replies.map((reply) => reply?.responseTo),
      [1, 2, 3],
    );
    assert.equal(replies[1]?.document["n"], 2000);
  });

  test("who does not want an answer gets none, and the work is done", async () => {
    const client = await world.raw();
    await client.login("admin", "password");
    client.send(
      opMsg(
        { insert: "quiet", documents: [{ _id: 1 }], writeConcern: { w: 0 }, $db: "wire" },
        { flags: moreToCome, requestId: 1 },
      ),
    );
    client.send(opMsg({ count: "quiet", $db: "wire" }, { requestId: 2 }));
    const reply = await client.receive();
    assert.deepEqual([reply?.responseTo, reply?.document["n"]], [2, 1]);
  });

  test("a right checksum is answered, a wrong one ends the connection with a line in the log", async () => {
    const client = await world.raw();
    const message = opMsg({ ping: 1, $db: "admin" }, { flags: checksumPresent });
    client.send(message);
    assert.equal((await client.receive())?.document["ok"], 1);
    message[message.length - 1] = (message.at(-1) as number) ^ 1;
    const before = world.logged.length;
    client.send(message);
    await client.closed;
    assert.deepEqual(
      world.logged.slice(before).map(({ fields }) => fields),
      [{ reason: "a checksum is wrong" }],
    );
  });

  test("the old handshake is answered in the old way, and nothing else is by it", async () => {
    const client = await world.raw();
    client.send(opQuery("admin.$cmd", { isMaster: 1, helloOk: true }));
    const reply = await client.receive();
    assert.equal(reply?.opCode, 1);
    assert.equal(reply?.document["helloOk"], true);
    assert.equal(reply?.document["me"], `127.0.0.1:${world.listener.port}`);
    client.send(opQuery("shop.$cmd", { find: "orders" }));
    assert.equal((await client.receive())?.document["code"], 352);
  });

  test("compressed messages, HTTP, TLS and a negative length end the connection, not the server", async () => {
    for (const bytes of [
      rawMessage(2012, 1, int32(2013), int32(10), Buffer.of(2, 1, 2, 3)),
      Buffer.from("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
      Buffer.from("1603010200010001fc0303", "hex"),
      int32(-5),
    ]) {
      const client = await world.raw();
      client.send(bytes);
      await client.closed;
    }
    assert.equal((await (await world.raw()).command({ ping: 1 }))["ok"], 1);
  });

  test("a document nested too deep is answered with an error, and the connection goes on", async () => {
    const client = await world.raw();
    await client.login("admin", "password");
    let nested: Document = {};
    for (let level = 0; level < 200; level += 1) nested = { a: nested };
    const answer = await client.command({ insert: "deep", documents: [nested] }, "wire");
    assert.deepEqual([answer["code"], answer["codeName"]], [15, "Overflow"]);
    assert.equal((await client.command({ ping: 1 }))["ok"], 1);
  });

  test("a hello that is waited for is answered at once when the server is another, and goes on by itself when asked to", async () => {
    const clock = createFakeClock();
    const other = await startWireWorld({ clock });
    const client = await other.raw();
    const first = await client.command({ hello: 1 });
    const awaited = (topologyVersion: unknown): Buffer =>
      opMsg(
        { hello: 1, topologyVersion, maxAwaitTimeMS: Long.fromNumber(10_000), $db: "admin" },
        { flags: exhaustAllowed, requestId: 40 },
      );
    client.send(awaited({ ...(first["topologyVersion"] as object), counter: Long.fromNumber(7) }));
    const stale = await client.receive();
    assert.deepEqual([stale?.responseTo, stale?.flags], [40, moreToCome]);
    for (let count = 0, previous = stale?.requestId; count < 3; count += 1) {
      while (clock.sleeping() === 0) await new Promise(setImmediate);
      clock.advance(10_000);
      const next = await client.receive();
      assert.deepEqual([next?.responseTo, next?.flags], [previous, moreToCome]);
      previous = next?.requestId;
    }
    // The client has something else to ask: this answer is the last.
    while (clock.sleeping() === 0) await new Promise(setImmediate);
    client.send(opMsg({ ping: 1, $db: "admin" }, { requestId: 41 }));
    while ((await pending(other)) < 1) await new Promise(setImmediate);
    clock.advance(10_000);
    assert.equal((await client.receive())?.flags, 0);
    assert.equal((await client.receive())?.responseTo, 41);
    await other.stop();
  });

  test("with topologyVersion comes maxAwaitTimeMS, and without it does not", async () => {
    const client = await world.raw();
    const { topologyVersion } = await client.command({ hello: 1 });
    assert.equal((await client.command({ hello: 1, topologyVersion }))["code"], 51_368);
    assert.equal((await client.command({ hello: 1, maxAwaitTimeMS: 5 }))["code"], 51_368);
    assert.equal((await client.command({ hello: 1, topologyVersion, maxAwaitTimeMS: -1 }))["ok"], 0);
  });
});

/** Another connection's round trip: whatever was sent before it has arrived. */
async function pending(world: WireWorld): Promise<number> {
  const client = await world.raw();
  await client.command({ ping: 1 });
  client.destroy();
  return 1;
}

describe("clients that hold on", () => {
  const open = (limits: NonNullable<Parameters<typeof startWireWorld>[0]>["limits"]): Promise<WireWorld> =>
    startWireWorld({ limits: limits ?? {}, users: [databaseUser("ann", { roleName: "read", databaseName: "shop" })] });

  test("who says nothing, or only half of something, is let go; who watches with hello stays", async () => {
    const world = await open({ handshakeTimeoutMs: 300 });
    const [silent, half, watching] = [await world.raw(), await world.raw(), await world.raw()];
    half.send(opMsg({ ping: 1, $db: "admin" }).subarray(0, 10));
    await watching.command({ hello: 1 });
    await Promise.all([silent.closed, half.closed]);
    assert.equal((await watching.command({ hello: 1 }))["ok"], 1);
    await world.stop();
  });

  test("a half message that grows byte by byte gets no more time", async () => {
    const world = await open({ handshakeTimeoutMs: 400 });
    const client = await world.raw();
    const message = opMsg({ ping: 1, $db: "admin", comment: "x".repeat(1000) });
    let sent = 0;
    const drip = setInterval(() => client.send(message.subarray(sent, (sent += 1))), 20);
    await client.closed;
    clearInterval(drip);
    assert.ok(sent < message.length);
    await world.stop();
  });

  test("before login a message has a smaller limit, after it the protocol's", async () => {
    const world = await open({ unauthenticatedMessageMaxBytes: 5000 });
    const sized = (length: number): Buffer => {
      const empty = opMsg({ ping: 1, $db: "admin", comment: new Binary(Buffer.alloc(0)) }).length;
      return opMsg({ ping: 1, $db: "admin", comment: new Binary(Buffer.alloc(length - empty)) });
    };
    const client = await world.raw();
    client.send(sized(5000));
    assert.equal((await client.receive())?.document["ok"], 1);
    client.send(sized(5001));
    await client.closed;
    const user = await world.raw();
    await user.login("ann", "password");
    user.send(sized(5001));
    assert.equal((await user.receive())?.document["ok"], 1);
    await world.stop();
  });

  test("strangers make room for others when all places are taken, users do not", async () => {
    const world = await open({ connectionsMax: 2 });
    const user = await world.raw();
    await user.login("ann", "password");
    const stranger = await world.raw();
    await stranger.command({ hello: 1 });
    const other = await world.raw();
    assert.equal((await other.login("ann", "password"))["ok"], 1);
    await stranger.closed;
    await (
      await world.raw()
    ).closed;
    assert.equal(world.listener.connectionCount(), 2);
    assert.equal((await user.command({ ping: 1 }))["ok"], 1);
    assert.ok(world.logged.some(({ message }) => message.includes("too many connections")));
    await world.stop();
  });

  test("a client that does not read is not answered on and on, and is let go", async () => {
    const world = await open({ stallTimeoutMs: 700 });
    const admin = await world.raw();
    await admin.login("admin", "password");
    const documents = Array.from({ length: 12 }, () => serialize({ data: Buffer.alloc(1_000_000) }));
    await admin.command({ create: "large" }, "shop");
    admin.send(opMsg({ insert: "large", $db: "shop" }, { sequences: { documents } }));
    assert.equal((await admin.receive())?.document["n"], 12);
    const client = await world.raw();
    await client.login("ann", "password");
    client.socket.pause();
    const before = process.memoryUsage().arrayBuffers;
    let most = 0;
    const watch = setInterval(() => (most = Math.max(most, process.memoryUsage().arrayBuffers - before)), 10);
    for (let count = 0; count < 100; count += 1) client.send(opMsg({ find: "large", $db: "shop" }));
    while (world.listener.connectionCount() > 1) await new Promise((fulfil) => setTimeout(fulfil, 20));
    clearInterval(watch);
    // A hundred answers would be 1,200 MB; this is one, with what making it costs.
    assert.ok(most < 150_000_000, `${most} bytes were held`);
    await world.stop();
  });

  test("what comes while a request is worked on is not read without end, and is answered afterwards", async () => {
    const world = await open({});
    const client = await world.raw();
    await client.login("ann", "password");
    const released = Promise.withResolvers<void>();
    const count = world.engine.count.bind(world.engine);
    world.engine.count = async (...given) => {
      await released.promise;
      return count(...given);
    };
    client.send(opMsg({ count: "x", $db: "shop" }, { requestId: 1 }));
    const large = opMsg({ ping: 1, $db: "admin", comment: Buffer.alloc(1_000_000) }, { requestId: 2 });
    for (let sent = 0; sent < 60; sent += 1) client.send(large);
    // What the system holds between the two is read off from what is left over here.
    let [left, before] = [client.socket.writableLength, -1];
    while (left !== before) {
      await new Promise((fulfil) => setTimeout(fulfil, 200));
      [left, before] = [client.socket.writableLength, left];
    }
    assert.ok(left > 10_000_000, `only ${left} bytes are left: the server read on`);
    released.resolve();
    assert.equal((await client.receive())?.responseTo, 1);
    for (let answered = 0; answered < 60; answered += 1) assert.equal((await client.receive())?.responseTo, 2);
    await world.stop();
  });

  test("what runs for a client that has gone is stopped", async () => {
    const world = await open({});
    const admin = await world.raw();
    await admin.login("admin", "password");
    const documents = Array.from({ length: 300 }, (_, n) => serialize({ n, text: "x".repeat(27) }));
    admin.send(opMsg({ insert: "slow", $db: "shop" }, { sequences: { documents } }));
    await admin.receive();
    const find = world.engine.find.bind(world.engine);
    const reasons: unknown[] = [];
    const made: EngineCursor[] = [];
    world.engine.find = async (namespace, query, read) => {
      read.signal.addEventListener("abort", () => reasons.push(read.signal.reason));
      const cursor = await find(namespace, query, read);
      made.push(cursor);
      client.destroy();
      while (!read.signal.aborted) await new Promise(setImmediate);
      return cursor;
    };
    const client = await world.raw();
    await client.login("ann", "password");
    client.send(opMsg({ find: "slow", batchSize: 1, $db: "shop" }));
    while (reasons.length === 0) await new Promise(setImmediate);
    assert.equal((reasons[0] as { code: number }).code, 279);
    await admin.command({ ping: 1 });
    const status = await admin.command({ serverStatus: 1 });
    assert.equal(status["metrics"].cursor.open.total, 0);
    assert.equal(made[0]?.exhausted, true);
    await world.stop();
  });
});

describe("guessing passwords", () => {
  test("each failure of an address waits longer, over all its connections, and five end a connection", async () => {
    const clock = createFakeClock();
    const world = await startWireWorld({ clock });
    const waited: number[] = [];
    const sleep = clock.sleep.bind(clock);
    clock.sleep = async (delayMs, signal) => {
      waited.push(delayMs);
      const slept = sleep(delayMs, signal);
      clock.advance(delayMs);
      return slept;
    };
    const client = await world.raw();
    for (let count = 0; count < 5; count += 1)
      assert.equal((await client.login(count % 2 === 0 ? "admin" : "nobody", "wrong"))["code"], 18);
    await client.closed;
    assert.equal((await (await world.raw()).login("admin", "wrong"))["code"], 18);
    assert.deepEqual(waited, [100, 200, 300, 400, 500, 600]);
    assert.equal((await (await world.raw()).login("admin", "password"))["ok"], 1);
    clock.advance(60_001);
    await (await world.raw()).login("admin", "wrong");
    assert.equal(waited.at(-1), 100);
    await world.stop();
  });

  test("a login is one conversation, and cannot be taken up by another number or without its beginning", async () => {
    const world = await startWireWorld();
    const client = await world.raw();
    const payload = new Binary(Buffer.from("n,,n=admin,r=abcdefghijkl"));
    assert.equal((await client.command({ saslContinue: 1, conversationId: 1, payload }))["code"], 17);
    const start = await client.command({ saslStart: 1, mechanism: "SCRAM-SHA-256", payload });
    assert.equal((await client.command({ saslContinue: 1, conversationId: 2, payload }))["code"], 17);
    assert.equal(start["done"], false);
    assert.equal((await client.command({ saslStart: 1, mechanism: "PLAIN", payload }))["code"], 334);
    await world.stop();
  });
});

describe("users that change while they are connected", () => {
  test("other roles hold within half a minute, and who is gone or has another password is logged out", async () => {
    const clock = createFakeClock();
    const world = await startWireWorld({ clock });
    const [ann, bob] = [await world.raw(), await world.raw()];
    const reader = databaseUser("ann", { roleName: "read", databaseName: "shop" });
    world.users.push(reader, databaseUser("bob", { roleName: "read", databaseName: "shop" }));
    await ann.login("ann", "password");
    await bob.login("bob", "password");
    world.users.splice(1, 2, { ...reader, roles: [{ roleName: "read", databaseName: "other" }] }, databaseUser("bob"));
    clock.advance(30_000);
    assert.equal((await ann.command({ count: "x" }, "shop"))["ok"], 1);
    clock.advance(1);
    assert.equal((await ann.command({ count: "x" }, "shop"))["code"], 13);
    assert.equal((await ann.command({ count: "x" }, "other"))["ok"], 1);
    assert.equal((await bob.command({ count: "x" }, "shop"))["code"], 13);
    await bob.closed;
    world.users.splice(1);
    clock.advance(30_001);
    assert.equal((await ann.command({ count: "x" }, "other"))["code"], 13);
    await ann.closed;
    await world.stop();
  });
});
