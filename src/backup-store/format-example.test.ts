import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { blockContents, packHeader, sealBlock } from "./block.ts";
import { Chunker, firstIdOf } from "./chunker.ts";
import { encodeEntries } from "./entry.ts";
import { formatText } from "./format-object.ts";
import { openSlot, parseSlot, sealSlot, slotText } from "./key-slot.ts";
import { deriveKeys } from "./keys.ts";

const page = readFileSync(new URL("../../docs/formats/backup-store.md", import.meta.url), "utf8");

function documented(name: string): string {
  return new RegExp(`^    ${name} +([0-9a-f{].*)$`, "m").exec(page)?.[1] ?? `nothing documented for ${name}`;
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

test("the worked example of the format document is what the code writes", async () => {
  const masterKey = Uint8Array.from({ length: 32 }, (_, index) => index);
  const repositoryId = Uint8Array.from({ length: 16 }, (_, index) => 0xa0 + index);
  assert.equal(formatText(repositoryId).trimEnd(), documented("format object"));
  const slot = await sealSlot(new Uint8Array(32).fill(7), "example", { repositoryId, masterKey }, (length) =>
    new Uint8Array(length).fill(9),
  );
  assert.equal(slotText(slot).trimEnd(), documented("key slot"));
  const opened = await openSlot(new Uint8Array(32).fill(7), parseSlot(Buffer.from(slotText(slot))));
  assert.equal(hex(opened?.masterKey ?? new Uint8Array()), hex(masterKey));

  const keys = deriveKeys(masterKey, repositoryId);
  const packId = Uint8Array.from({ length: 20 }, (_, index) => index);
  const chunker = new Chunker(keys);
  assert.deepEqual([...chunker.push(Buffer.from(documented("chunk bytes"), "hex"))], []);
  const chunk = chunker.finish();
  assert.ok(chunk !== undefined);
  const id = keys.chunkId(chunk.bytes);
  assert.equal(hex(id), documented("chunk id"));
  const entry = {
    id,
    packId,
    blockIndex: 0,
    offset: 0,
    length: chunk.bytes.length,
    documentCount: chunk.documentCount,
    dataSizeBytes: chunk.bytes.length,
    firstId: firstIdOf(chunk.bytes, chunk),
  };
  assert.equal(hex(encodeEntries([entry])), documented("entry"));
  const pack = { id: packId, revision: 0, key: keys.packKey(packId) };
  assert.equal(hex(packHeader(pack)), documented("pack header"));
  const block = sealBlock(pack, {
    plain: chunk.bytes,
    index: 0,
    content: blockContents.chunks,
    nonce: Buffer.alloc(12, 0x0c),
  });
  assert.equal(hex(block), documented("block"));
});
