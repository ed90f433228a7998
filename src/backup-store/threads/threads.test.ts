import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { describe, test } from "node:test";
import { blockContents, openBlock, sealBlock } from "../block.ts";
import { createChunkId } from "../chunk-id.ts";
import { hashApart, identifyApart, openApart, sealApart } from "./apart.ts";
import { owned } from "./jobs.ts";

const pack = { id: Buffer.alloc(20, 1), revision: 0, key: Buffer.alloc(32, 2) };
/** Around the size from which other threads do the work. */
const sizes = [0, 1, 65_535, 65_536, 65_537, 1_200_000];

function somewhat(size: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.concat([randomBytes(size >> 1), Buffer.alloc(size - (size >> 1), "telamon")]));
}

describe("work that is done in other threads", () => {
  for (const size of sizes) {
    test(`seals ${size} bytes to a block that opens to them, here and there, and gives the memory back`, async () => {
      const plain = somewhat(size);
      const nonce = randomBytes(12);
      const block = { index: 3, content: blockContents.chunks, nonce };
      const expected = sealBlock(pack, { ...block, plain: Buffer.from(plain) });
      const { sealed, bytes } = await sealApart(pack, { ...block, bytes: new Uint8Array(plain), length: size });
      assert.ok(expected.equals(sealed.bytes));
      assert.deepEqual(Buffer.from(sealed.sha256), createHash("sha256").update(expected).digest());
      assert.ok(Buffer.from(plain).equals(bytes));
      assert.ok(openBlock(pack, sealed.bytes, 3).equals(plain));
      assert.ok(Buffer.from(plain).equals(await openApart(pack, sealed.bytes, 3)));
      // The sealed bytes are still there: opening takes a copy.
      assert.ok(expected.equals(sealed.bytes));
    });

    test(`names and hashes the parts of ${size} bytes as is done here`, async () => {
      const bytes = somewhat(size);
      const ends = [size >> 2, size >> 1, size];
      const parts = ends.map((end, index) => Buffer.from(bytes).subarray(ends[index - 1] ?? 0, end));
      const key = Buffer.alloc(32, 9);
      const identified = await identifyApart(key, new Uint8Array(bytes), ends);
      assert.ok(Buffer.from(bytes).equals(identified.bytes));
      const hashes = await hashApart(new Uint8Array(bytes), ends);
      for (const [index, part] of parts.entries()) {
        assert.ok(createChunkId(key)(part).equals(identified.ids[index] ?? new Uint8Array(0)));
        assert.ok(
          createHash("sha256")
            .update(part)
            .digest()
            .equals(hashes[index] ?? new Uint8Array(0)),
        );
      }
    });
  }

  test("a block that was changed is refused as it is here", async () => {
    const plain = randomBytes(200_000);
    const sealed = sealBlock(pack, { plain, index: 0, content: blockContents.chunks, nonce: randomBytes(12) });
    await assert.rejects(openApart(pack, sealed, 1), /header is wrong/);
    sealed[sealed.length >> 1] = (sealed[sealed.length >> 1] as number) ^ 1;
    await assert.rejects(openApart(pack, sealed, 0));
  });

  test("more jobs than all threads take at once are all done, each with its own answer", async () => {
    const all = Array.from({ length: 60 }, (_, number) => new Uint8Array(100_000).fill(number));
    const expected = all.map((bytes) => createHash("sha256").update(bytes).digest("hex"));
    const answers = await Promise.all(all.map((bytes) => hashApart(bytes, [bytes.length])));
    assert.deepEqual(
      answers.map(([hash]) => Buffer.from(hash ?? []).toString("hex")),
      expected,
    );
  });

  test("only memory that nothing else lies in is handed over as it is", () => {
    const whole = new Uint8Array(100_000);
    assert.equal(owned(whole), whole);
    for (const view of [whole.subarray(1), whole.subarray(0, 70_000), Buffer.from("small")]) {
      const own = owned(view);
      assert.notEqual(own.buffer, view.buffer);
      assert.deepEqual(own, new Uint8Array(view));
    }
  });
});
