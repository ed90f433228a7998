import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { deflateSync, zstdCompressSync } from "node:zlib";
import { serialize } from "bson";
import fc from "fast-check";
import { int32, opMsg, rawMessage } from "../../test/support/raw-client.ts";
import { compressors } from "../commands/compression.ts";
import { compress, expand, readCompressed } from "./compression.ts";
import { messageSizeMaxBytes, ProtocolError, readMessage } from "./frame.ts";

const message = opMsg({ ping: 1, $db: "admin", text: "a".repeat(500) }, { requestId: 9 });
const content = message.subarray(16);
const packers = { zlib: deflateSync, zstd: zstdCompressSync };
const ids = { zlib: 2, zstd: 3 };

/** An OP_COMPRESSED of the compressor with this number. */
function compressed(id: number, announcedBytes: number, packed: Uint8Array, opCode: number = 2013): Buffer {
  return rawMessage(2012, 9, int32(opCode), int32(announcedBytes), Buffer.of(id), packed);
}

async function roundTrip(bytes: Uint8Array, maxBytes: number = messageSizeMaxBytes): Promise<Uint8Array> {
  return expand(readCompressed(bytes, compressors, maxBytes));
}

for (const name of compressors) {
  const pack = packers[name];
  const id = ids[name];
  describe(`messages compressed with ${name}`, () => {
    test("are what they were before", async () => {
      const whole = await roundTrip(compressed(id, content.length, pack(content)));
      assert.deepEqual(Buffer.from(whole), message);
      const reply = await compress(message, name);
      assert.ok(reply.length < message.length);
      assert.deepEqual(Buffer.from(await roundTrip(reply)), message);
    });

    test("may be as long as others, and no longer", async () => {
      const longest = content.length + 16;
      assert.equal((await roundTrip(compressed(id, content.length, pack(content)), longest)).length, longest);
      await assert.rejects(roundTrip(compressed(id, content.length, pack(content)), longest - 1), ProtocolError);
    });

    test("end the connection when they are not as long as they announce", async () => {
      for (const announced of [content.length - 1, content.length + 1])
        await assert.rejects(roundTrip(compressed(id, announced, pack(content))), ProtocolError);
    });

    test("end the connection when nothing, a part or more than they announce is in them", async () => {
      const packed = pack(content);
      for (const bytes of [new Uint8Array(0), packed.subarray(0, 20), pack(Buffer.alloc(10_000_000))])
        await assert.rejects(roundTrip(compressed(id, content.length, bytes)), ProtocolError);
    });

    test("end the connection when they were not agreed upon", () => {
      const agreed = compressors.filter((other) => other !== name);
      const bytes = compressed(id, content.length, pack(content));
      assert.throws(() => readCompressed(bytes, agreed, messageSizeMaxBytes), ProtocolError);
      assert.throws(() => readCompressed(bytes, [], messageSizeMaxBytes), ProtocolError);
    });

    test("random bytes in them are a protocol error or a message, never anything else", async () => {
      await fc.assert(
        fc.asyncProperty(fc.uint8Array({ maxLength: 60 }), fc.nat(200), async (garbage, announced) => {
          try {
            readMessage(await roundTrip(compressed(id, announced, garbage)));
          } catch (error) {
            assert.ok(error instanceof ProtocolError, String(error));
          }
        }),
        { numRuns: 200 },
      );
    });
  });
}

describe("compressed messages of any kind", () => {
  const packed = deflateSync(content);
  const refused: readonly (readonly [string, Uint8Array])[] = [
    ["no compressor", compressed(0, content.length, content)],
    ["snappy, which is not served", compressed(1, content.length, packed)],
    ["a compressed message within", compressed(2, content.length, packed, 2012)],
    ["a legacy query", compressed(2, content.length, packed, 2004)],
    ["a length below 0", compressed(2, -1, packed)],
    ["a length of 2 GiB", compressed(2, 2_147_483_647, packed)],
    ["no room for what is in them", rawMessage(2012, 1, int32(2013))],
  ];
  for (const [name, bytes] of refused)
    test(`${name} ends the connection`, () => assert.rejects(roundTrip(bytes), ProtocolError));

  test("a reply that would not become shorter is sent as it is", async () => {
    const short = opMsg(serialize({ ok: 1 }));
    assert.equal(await compress(short, "zlib"), short);
  });
});
