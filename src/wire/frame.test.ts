import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { deserialize, serialize } from "bson";
import fc from "fast-check";
import { stringValue } from "../engine/index.ts";
import {
  checksumPresent,
  exhaustAllowed,
  int32,
  moreToCome,
  opMsg,
  opQuery,
  rawMessage,
} from "../../test/support/raw-client.ts";
import { crc32c, ProtocolError, readLargeMessage, readMessage, stretchBytes, writeReply } from "./frame.ts";
import { MessageReader } from "./message-reader.ts";

const ping = serialize({ ping: 1, $db: "admin" });

describe("reading messages", () => {
  test("the body and the sequences beside it are the bytes that were sent", () => {
    const documents = [serialize({ _id: 1, "5": 1, "1": 2 }), serialize({ _id: 2 })];
    const request = readMessage(opMsg(ping, { requestId: 77, sequences: { documents, other: [] } }));
    assert.equal(request.requestId, 77);
    assert.deepEqual(Buffer.from(request.body), Buffer.from(ping));
    assert.deepEqual(
      request.sequences.get("documents")?.map((one) => Buffer.from(one)),
      documents.map((one) => Buffer.from(one)),
    );
    assert.deepEqual(request.sequences.get("other"), []);
  });

  test("a large message is read as at once, and others have their turn meanwhile", async () => {
    const documents = Array.from({ length: 40 }, (_, n) => serialize({ _id: n, text: "x".repeat(100_000) }));
    for (const flags of [0, checksumPresent]) {
      const message = opMsg(ping, { flags, sequences: { documents } });
      let turns = 0;
      const turn = (): void => {
        turns += 1;
        others = setImmediate(turn);
      };
      let others = setImmediate(turn);
      assert.deepEqual(await readLargeMessage(message), readMessage(message));
      clearImmediate(others);
      assert.ok(turns >= 3, `${turns} turns`);
      message[stretchBytes * 2] = 0;
      if (flags !== 0) await assert.rejects(readLargeMessage(message), ProtocolError);
    }
  });

  test("flags say whether an answer is wanted, and whether several are", () => {
    assert.equal(readMessage(opMsg(ping, { flags: moreToCome })).moreToCome, true);
    assert.equal(readMessage(opMsg(ping, { flags: exhaustAllowed })).exhaustAllowed, true);
    assert.equal(readMessage(opMsg(ping)).exhaustAllowed, false);
  });

  test("flags that must be understood and are not end the connection; the others are let be", () => {
    for (let bit = 2; bit < 16; bit += 1)
      assert.throws(() => readMessage(opMsg(ping, { flags: 1 << bit })), ProtocolError);
    assert.equal(readMessage(opMsg(ping, { flags: 1 << 20 })).moreToCome, false);
  });

  test("the checksum is Castagnoli's, and one changed bit is found", () => {
    assert.equal(crc32c(Buffer.from("123456789")), 0xe3_06_92_83);
    const message = opMsg(ping, { flags: checksumPresent });
    assert.equal(readMessage(message).body.length, ping.length);
    for (const at of [4, 25, message.length - 1]) {
      const changed = Buffer.from(message);
      changed[at] = (changed[at] as number) ^ 1;
      assert.throws(() => readMessage(changed), ProtocolError);
    }
  });

  const malformed: readonly (readonly [string, Uint8Array])[] = [
    ["no body", rawMessage(2013, 1, int32(0))],
    ["two bodies", rawMessage(2013, 1, int32(0), Buffer.of(0), ping, Buffer.of(0), ping)],
    ["a section of no known kind", rawMessage(2013, 1, int32(0), Buffer.of(2), ping)],
    [
      "a sequence that is longer than its message",
      rawMessage(2013, 1, int32(0), Buffer.of(1), int32(500), Buffer.from("a\0")),
    ],
    [
      "a sequence without the end of its name",
      rawMessage(2013, 1, int32(0), Buffer.of(1), int32(6), Buffer.from("ab")),
    ],
    [
      "a sequence twice",
      rawMessage(
        2013,
        1,
        int32(0),
        Buffer.of(0),
        ping,
        Buffer.of(1),
        int32(6),
        Buffer.from("a\0"),
        Buffer.of(1),
        int32(6),
        Buffer.from("a\0"),
      ),
    ],
    ["a document that is cut short", rawMessage(2013, 1, int32(0), Buffer.of(0), ping.subarray(0, -2))],
    [
      "a document of an unknown type",
      rawMessage(2013, 1, int32(0), Buffer.of(0), Buffer.of(8, 0, 0, 0, 0x55, 97, 0, 0)),
    ],
    ["compression, which was not offered", rawMessage(2012, 1, int32(2013), int32(30), Buffer.of(2), ping)],
    ["an old query of a collection", opQuery("shop.orders", {})],
  ];
  for (const [name, message] of malformed) {
    test(`${name} ends the connection`, () => assert.throws(() => readMessage(message), ProtocolError));
  }

  test("nesting past MongoDB's limit is refused and not taken for garbage", () => {
    const nested = (depth: number): Uint8Array => {
      let document = serialize({});
      for (let level = 1; level < depth; level += 1) {
        const length = document.length + 8;
        document = Buffer.concat([int32(length), Buffer.from("\u0003a\0"), document, Buffer.of(0)]);
      }
      return document;
    };
    assert.equal(readMessage(opMsg(nested(180))).refusal, undefined);
    assert.equal(readMessage(opMsg(nested(181))).refusal?.code, 15);
  });

  test("a body longer than any may be is refused; one of that length is not", () => {
    const sized = (length: number): Uint8Array => serialize({ a: Buffer.alloc(length - 13) });
    const limit = 16 * 1024 * 1024 + 16_384;
    assert.equal(sized(limit).length, limit);
    assert.equal(readMessage(opMsg(sized(limit))).refusal, undefined);
    assert.equal(readMessage(opMsg(sized(limit + 1))).refusal?.code, 10_334);
  });

  test("whatever the bytes, a message is read or refused as none", () => {
    const mutated = fc.tuple(fc.nat({ max: 200 }), fc.nat({ max: 255 })).map(([at, byte]) => {
      const message = opMsg(ping, { sequences: { documents: [serialize({ a: [1, { b: "x" }] })] } });
      message[16 + (at % (message.length - 16))] = byte;
      return new Uint8Array(message);
    });
    const random = fc.uint8Array({ maxLength: 120 }).map((bytes) => new Uint8Array(rawMessage(2013, 1, bytes)));
    fc.assert(
      fc.property(fc.oneof(mutated, random), (message) => {
        try {
          readMessage(message);
        } catch (error) {
          assert.ok(error instanceof ProtocolError);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe("putting messages together", () => {
  const whole = (): number => 48_000_000;

  test("however the bytes are cut, the same messages come out", () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ maxLength: 300 }), { minLength: 1, maxLength: 6 }),
        fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1 }),
        (texts, cuts) => {
          const messages = texts.map((text) => opMsg({ ping: text }));
          const stream = Buffer.concat(messages);
          const reader = new MessageReader(whole);
          const out: Buffer[] = [];
          for (let position = 0, turn = 0; position < stream.length; turn += 1) {
            const length = cuts[turn % cuts.length] as number;
            out.push(...reader.push(stream.subarray(position, position + length)).map((one) => Buffer.from(one)));
            position += length;
          }
          assert.deepEqual(out, messages);
          assert.equal(reader.pending, false);
        },
      ),
      { numRuns: 200 },
    );
  });

  test("lengths that cannot be are refused at once, the longest is not", () => {
    const reader = (): MessageReader => new MessageReader(whole);
    for (const size of [-1, 0, 20, 48_000_001, 2_147_483_647])
      assert.throws(() => reader().push(int32(size)), ProtocolError);
    for (const size of [21, 48_000_000]) assert.deepEqual(reader().push(int32(size)), []);
  });

  test("memory follows what arrived, not what was announced", () => {
    const before = process.memoryUsage().arrayBuffers;
    const readers = Array.from({ length: 50 }, () => new MessageReader(whole));
    for (const reader of readers) reader.push(Buffer.concat([int32(48_000_000), Buffer.alloc(100)]));
    assert.ok(readers.every(({ pending }) => pending));
    assert.ok(process.memoryUsage().arrayBuffers - before < 10_000_000);
  });
});

describe("writing replies", () => {
  const fields = [
    ["text", stringValue("ä")],
    ["more", stringValue("")],
  ] as const;

  test("the document is what its fields say, behind a header that names the request", () => {
    const bytes = Buffer.from(writeReply({ requestId: 5, responseTo: 9, legacy: false, moreToCome: true }, fields));
    assert.deepEqual(
      [0, 4, 8, 12, 16].map((at) => bytes.readInt32LE(at)),
      [bytes.length, 5, 9, 2013, 2],
    );
    assert.deepEqual(deserialize(bytes.subarray(21)), { text: "ä", more: "" });
  });

  test("an old request gets an old reply", () => {
    const bytes = Buffer.from(writeReply({ requestId: 5, responseTo: 9, legacy: true, moreToCome: false }, fields));
    assert.deepEqual(
      [0, 12, 16, 28, 32].map((at) => bytes.readInt32LE(at)),
      [bytes.length, 1, 8, 0, 1],
    );
    assert.deepEqual(deserialize(bytes.subarray(36)), { text: "ä", more: "" });
  });
});
