import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { sealBlock } from "./block.ts";
import { Chunker } from "./chunker.ts";
import { encodeEntries } from "./entry.ts";
import { deriveKeys } from "./keys.ts";

const page = readFileSync(new URL("../../docs/formats/backup-store.md", import.meta.url), "utf8");

function documented(name: string): string {
  return new RegExp(`^    ${name} +([0-9a-f]+)$`, "m").exec(page)?.[1] ?? `nothing documented for ${name}`;
}

test("the worked example of the format document is what the code writes", async () => {
  const keys = deriveKeys(Uint8Array.from({ length: 32 }, (_, index) => index));
  const packId = Uint8Array.from({ length: 20 }, (_, index) => index);
  const chunker = new Chunker(keys);
  assert.deepEqual([...chunker.push(Buffer.from(documented("chunk bytes"), "hex"))], []);
  const chunk = chunker.finish();
  assert.ok(chunk !== undefined);
  const id = keys.chunkId(chunk.bytes);
  assert.equal(id.toString("hex"), documented("chunk id"));
  assert.equal(Buffer.from(keys.check).toString("hex"), documented("key check"));
  const entry = {
    id,
    packId,
    blockIndex: 0,
    offset: 0,
    length: chunk.bytes.length,
    documentCount: chunk.documentCount,
    dataSizeBytes: chunk.bytes.length,
    firstId: chunk.firstId,
  };
  assert.equal(Buffer.from(encodeEntries([entry])).toString("hex"), documented("entry"));
  const block = await sealBlock(chunk.bytes, keys.packKey(packId), packId, 0, Buffer.alloc(12, 0x0c));
  assert.equal(block.toString("hex"), documented("block"));
});
