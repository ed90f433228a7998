import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, test } from "node:test";
import { blockContents, blockHeaderLength, openBlock, sealBlock, tagLength } from "../block.ts";
import { createChunkId, hashBlockLength } from "../chunk-id.ts";
import { confirmApart, identifyApart, measureApart, openApart, pickApart, sealAllApart, sealApart } from "./apart.ts";
import { owned } from "./jobs.ts";

const pack = { id: Buffer.alloc(20, 1), revision: 0, key: Buffer.alloc(32, 2) };
/** Around the size from which other threads do the work. */
const sizes = [0, 1, 65_535, 65_536, 65_537, 1_200_000];

function somewhat(size: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.concat([randomBytes(size >> 1), Buffer.alloc(size - (size >> 1), "telamon")]));
}

function sharedCopyOf(bytes: Uint8Array): Uint8Array<SharedArrayBuffer> {
  const copy = new Uint8Array(new SharedArrayBuffer(bytes.length));
  copy.set(bytes);
  return copy;
}

/** Two parts of a block of one byte more, the later one first. */
function middle(size: number): { readonly offset: number; readonly length: number }[] {
  return [
    { offset: size - 9, length: 10 },
    { offset: 1, length: size >> 1 },
  ];
}

describe("work that is done in other threads", () => {
  for (const size of sizes) {
    test(`seals ${size} bytes to a block that opens to them, here and there, and gives the memory back`, async () => {
      const plain = somewhat(size);
      const nonce = randomBytes(12);
      const block = { index: 3, content: blockContents.chunks, nonce };
      const expected = sealBlock(pack, { ...block, plain: Buffer.from(plain) });
      for (const lent of [new Uint8Array(plain), sharedCopyOf(plain)]) {
        const { sealed, bytes } = await sealApart(pack, { ...block, bytes: lent, length: size });
        assert.ok(expected.equals(sealed));
        assert.ok(Buffer.from(plain).equals(bytes));
      }
      assert.ok(openBlock(pack, expected, 3).equals(plain));
      assert.ok(Buffer.from(plain).equals(await openApart(pack, expected, 3)));
      // The sealed bytes are still there: opening takes a copy.
      assert.ok(openBlock(pack, expected, 3).equals(plain));
    });

    test(`names the chunks in ${size} bytes as is done here, with room before each or without`, async () => {
      const bytes = somewhat(size);
      const key = Buffer.alloc(32, 9);
      for (const room of [0, hashBlockLength]) {
        const ends = [size >> 2, size >> 1, size];
        const parts = ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end));
        const all = new Uint8Array(Buffer.concat(parts.flatMap((part) => [Buffer.alloc(room), part])));
        const chunks = ends.map((end, index) => ({
          start: (ends[index - 1] ?? 0) + (index + 1) * room,
          end: end + (index + 1) * room,
        }));
        for (const lent of [sharedCopyOf(all), all]) {
          const identified = await identifyApart(key, lent, chunks, { hasRoom: room > 0 });
          for (const [index, part] of parts.entries()) {
            const { start, end } = chunks[index] ?? { start: 0, end: 0 };
            assert.ok(Buffer.from(part).equals(identified.bytes.subarray(start, end)));
            assert.ok(createChunkId(key)(part).equals(identified.ids[index] ?? new Uint8Array(0)));
          }
        }
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

  for (const size of [1000, 200_000])
    test(`blocks of ${size} bytes are confirmed when they are what was sealed, and no other bytes`, async () => {
      const blocks = [0, 1].map((index) =>
        sealBlock(pack, { plain: randomBytes(size), index, content: blockContents.chunks, nonce: randomBytes(12) }),
      );
      const bytes = Buffer.concat(blocks);
      let end = 0;
      const expected = blocks.map((block, index) => ({
        index,
        tag: block.subarray(-tagLength),
        start: end,
        end: (end += block.length),
      }));
      assert.ok(await confirmApart(pack, new Uint8Array(bytes), expected));
      for (let at = 0; at < bytes.length; at += at < 40 ? 1 : size >> 3) {
        const flipped = new Uint8Array(bytes);
        flipped[at] = (flipped[at] as number) ^ 1;
        assert.equal(await confirmApart(pack, flipped, expected), false, `byte ${at}`);
      }
      // The same plain bytes sealed again are other bytes.
      const another = sealBlock(pack, {
        plain: openBlock(pack, blocks[0] ?? bytes, 0),
        index: 0,
        content: blockContents.chunks,
        nonce: randomBytes(12),
      });
      const replaced = new Uint8Array(Buffer.concat([another, blocks[1] ?? bytes]));
      assert.equal(await confirmApart(pack, replaced, expected), false);
    });

  for (const size of [1000, 200_000])
    test(`blocks of ${size} bytes and others that are sealed at once are each what it is alone, and are measured and picked from together`, async () => {
      const sizes = [size, 1, 0, size + 1];
      const plains = sizes.map(somewhat);
      let end = 0;
      const blocks = sizes.map((length, position) => ({
        index: 7 + position * 2,
        nonce: randomBytes(12),
        start: end,
        end: (end += length),
      }));
      const { sealed } = await sealAllApart(pack, new Uint8Array(Buffer.concat(plains)), blockContents.chunks, blocks);
      for (const [position, { index, nonce }] of blocks.entries()) {
        const plain = plains[position] as Uint8Array;
        const expected = sealBlock(pack, { plain, index, content: blockContents.chunks, nonce });
        assert.ok(expected.equals(sealed[position] ?? new Uint8Array(0)), `block ${position}`);
      }
      const together = new Uint8Array(Buffer.concat(sealed));
      end = 0;
      const places = sealed.map(({ length }, position) => ({
        index: 7 + position * 2,
        start: end,
        end: (end += length),
        places: [{ offset: 0, length: sizes[position] as number }],
      }));
      assert.deepEqual(await measureApart(pack, together, places), sizes);
      const wanted = places.map((block, position) => (position === 3 ? { ...block, places: middle(size) } : block));
      const key = Buffer.alloc(32, 9);
      const picked = await pickApart(pack, new Uint8Array(together), wanted, key);
      const parts = [
        ...plains.slice(0, 3),
        ...middle(size).map(({ offset, length }) => plains[3]?.subarray(offset, offset + length)),
      ];
      assert.equal(picked.length, parts.length);
      for (const [position, { bytes, id }] of picked.entries()) {
        assert.ok(Buffer.from(parts[position] ?? []).equals(bytes), `part ${position}`);
        assert.ok(createChunkId(key)(bytes).equals(id), `id ${position}`);
      }
      // Beyond a block's end there is nothing, and one that is hurt leaves the others.
      await assert.rejects(
        pickApart(pack, new Uint8Array(together), [{ ...places[0]!, places: [{ offset: 1, length: size }] }], key),
        /too short/,
      );
      together[blockHeaderLength] = (together[blockHeaderLength] as number) ^ 1;
      assert.deepEqual(await measureApart(pack, together, places), [undefined, ...sizes.slice(1)]);
    });

  test("more jobs than all threads take at once are all done, each with its own answer", async () => {
    const key = Buffer.alloc(32, 7);
    const all = Array.from({ length: 60 }, (_, number) => new Uint8Array(100_000).fill(number));
    const expected = all.map((bytes) => createChunkId(key)(bytes).toString("hex"));
    const chunks = [{ start: 0, end: 100_000 }];
    const answers = await Promise.all(all.map((bytes) => identifyApart(key, bytes, chunks, { hasRoom: false })));
    assert.deepEqual(
      answers.map(({ ids: [id] }) => Buffer.from(id ?? []).toString("hex")),
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
