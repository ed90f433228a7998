import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { deflateSync, inflateSync, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { deserialize } from "bson";
import { int32, opMsg, rawMessage } from "../support/raw-client.ts";
import { startWireWorld, type WireWorld } from "../support/wire-world.ts";

const ways = {
  zlib: { id: 2, pack: deflateSync, unpack: inflateSync },
  zstd: { id: 3, pack: zstdCompressSync, unpack: zstdDecompressSync },
};

describe("compression on the wire", () => {
  let world: WireWorld;
  before(async () => {
    world = await startWireWorld();
  });
  after(() => world.stop());

  test("the driver with compressors=zlib stores and reads what it does without", async () => {
    const documents = world.as("admin", "&compressors=zlib").db("shop").collection("compressed");
    const text = "the same words again and again ".repeat(1000);
    await documents.insertMany(Array.from({ length: 200 }, (_, n) => ({ n, text })));
    const read = await documents.find().sort({ n: 1 }).toArray();
    assert.deepEqual(
      read.map(({ n }) => n as number),
      Array.from({ length: 200 }, (_, n) => n),
    );
    assert.ok(read.every((one) => one["text"] === text));
  });

  test("what both sides know is agreed upon, in the client's order", async () => {
    const raw = await world.raw();
    const agreed = await raw.command({ hello: 1, compression: ["snappy", "zstd", "new", "zlib", "zstd"] });
    assert.deepEqual(agreed["compression"], ["zstd", "zlib"]);
    assert.equal((await (await world.raw()).command({ hello: 1, compression: ["snappy"] }))["compression"], undefined);
    assert.equal((await (await world.raw()).command({ hello: 1 }))["compression"], undefined);
    assert.equal((await (await world.raw()).command({ hello: 1, compression: [1] }))["code"], 14);
  });

  for (const [name, { id, pack, unpack }] of Object.entries(ways)) {
    test(`${name}: a compressed command is answered compressed, a plain one plainly, a login always plainly`, async () => {
      const raw = await world.raw();
      await raw.command({ hello: 1, compression: [name] });
      const replies: Buffer[] = [];
      const send = async (body: Record<string, unknown>, packed: boolean): Promise<Buffer> => {
        const message = opMsg({ ...body, $db: "admin" });
        const content = message.subarray(16);
        const bytes = packed
          ? rawMessage(2012, 1, int32(2013), int32(content.length), Buffer.of(id), pack(content))
          : message;
        const arrived = new Promise<Buffer>((fulfil) => raw.socket.once("data", fulfil));
        raw.send(bytes);
        replies.push(await arrived);
        return replies.at(-1) as Buffer;
      };
      raw.socket.removeAllListeners("data");
      const answer = await send({ buildInfo: 1 }, true);
      assert.deepEqual([answer.readInt32LE(12), answer.readInt32LE(16), answer[24]], [2012, 2013, id]);
      const content = unpack(answer.subarray(25));
      assert.equal(content.length, answer.readInt32LE(20));
      assert.equal(deserialize(content.subarray(5))["ok"], 1);
      assert.equal((await send({ buildInfo: 1 }, false)).readInt32LE(12), 2013);
      assert.equal((await send({ hello: 1 }, true)).readInt32LE(12), 2013);
      assert.equal((await send({ saslStart: 1, mechanism: "PLAIN" }, true)).readInt32LE(12), 2013);
    });
  }

  test("a client that agreed on nothing, or sends a bomb, is cut off, and the others are served", async () => {
    const bomb = deflateSync(Buffer.alloc(20_000_000));
    for (const agreed of [[], ["zlib"]]) {
      const raw = await world.raw();
      await raw.command({ hello: 1, compression: agreed });
      raw.send(rawMessage(2012, 1, int32(2013), int32(20_000_000), Buffer.of(2), bomb));
      await raw.closed;
    }
    assert.equal((await (await world.raw()).command({ ping: 1 }))["ok"], 1);
  });
});
