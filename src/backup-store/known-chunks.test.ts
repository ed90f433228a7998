import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { serialize } from "bson";
import { createMemoryBlobStore } from "../adapters/blob-memory/memory-blob-store.ts";
import type { Entry } from "./entry.ts";
import { deriveKeys } from "./keys.ts";
import { KnownChunks } from "./known-chunks.ts";
import { PackReader } from "./pack-reader.ts";

const keys = deriveKeys(Buffer.alloc(32, 5), Buffer.alloc(16, 1));
const reader = new PackReader(createMemoryBlobStore(), keys);
// More than twice what the window holds.
const count = 40_000;

/** The chunk whose first document has the `_id` `number`; a tree of level 0 needs no stored page. */
function chunk(number: number): Entry {
  return {
    id: keys.chunkId(Buffer.from(String(number))),
    packId: Buffer.alloc(20),
    blockIndex: 0,
    offset: 0,
    length: 1,
    documentCount: 1,
    dataSizeBytes: 1,
    firstId: serialize({ _id: number }).slice(4, -1),
  };
}

async function foundOf(known: KnownChunks, numbers: Iterable<number>): Promise<number> {
  let found = 0;
  for (const number of numbers) {
    const { id, firstId } = chunk(number);
    const entry = await known.findChunk(id, firstId);
    if (entry === undefined) known.stored(chunk(number));
    else found += 1;
  }
  return found;
}

function* numbers(from: number, to: number, step: number = 1): Generator<number> {
  for (let number = from; number < to; number += step) yield number;
}

describe("chunks that are stored already", () => {
  const parent = { level: 0, entries: [...numbers(0, count)].map(chunk) };

  test("all are found when nothing changed", async () => {
    assert.equal(await foundOf(new KnownChunks(reader, parent), numbers(0, count)), count);
  });

  test("all that is left is found after more was deleted in a row than is held in memory", async () => {
    const known = new KnownChunks(reader, parent);
    assert.equal(await foundOf(known, [...numbers(0, 100), ...numbers(30_000, count)]), 100 + count - 30_000);
  });

  test("all that was there is found after more was inserted in a row than is held in memory", async () => {
    const known = new KnownChunks(reader, parent);
    const inserted = numbers(99.5, 99.9, 0.4 / 30_000);
    assert.equal(await foundOf(known, [...numbers(0, 100), ...inserted, ...numbers(100, count)]), count);
  });

  test("without an order of _id a change is still passed, within what is held in memory", async () => {
    const shuffled = [...numbers(0, count)].map((number) => (number * 7919) % count);
    const known = new KnownChunks(reader, { level: 0, entries: shuffled.map(chunk) });
    const now = [...shuffled.slice(0, 1000), ...numbers(count, count + 3000), ...shuffled.slice(6000)];
    assert.equal(await foundOf(known, now), count - 5000);
  });

  test("what the snapshot itself has just stored is found without any parent", async () => {
    const known = new KnownChunks(reader, undefined);
    assert.equal(await foundOf(known, numbers(0, 4096)), 0);
    assert.equal(await foundOf(known, numbers(0, 4096)), 4096);
  });
});
