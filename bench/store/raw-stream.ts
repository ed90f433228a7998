// One step of Telamon's backup store over a file of documents, in a process of its own so that its memory can be told:
// snapshot <store> <file> <id> [parent] | verify <store> | restore <store> <manifest> <file>
import { createHash, randomBytes } from "node:crypto";
import { open } from "node:fs/promises";
import { createFileBlobStore } from "../../src/adapters/blob-file-system/file-blob-store.ts";
import { openBackupStore } from "../../src/backup-store/index.ts";

const pieceBytes = 1_048_576;
const [command, root = "", ...rest] = process.argv.slice(2);
const store = await openBackupStore({
  blobs: await createFileBlobStore({ root, randomBytes }),
  secret: createHash("sha256").update("bench").digest(),
  randomBytes,
});

const beganMs = performance.now();
const result = await run();
process.stdout.write(`${JSON.stringify({ ...result, seconds: (performance.now() - beganMs) / 1000 })}\n`);

async function run(): Promise<object> {
  if (command === "verify") {
    const { damages, sizeBytes } = await store.verify();
    if (damages.length > 0) throw new Error("the store is damaged");
    return { sizeBytes };
  }
  if (command === "restore") {
    const [manifestKey = "", path = ""] = rest;
    await using file = await open(path, "w");
    let sizeBytes = 0;
    for await (const piece of (await store.open(manifestKey)).documents("bench", "orders")) {
      await file.writeFile(piece);
      sizeBytes += piece.length;
    }
    return { sizeBytes };
  }
  const [path = "", snapshotId = "", parentManifestKey] = rest;
  const writer = await store.begin({
    lineageId: "bench",
    snapshotId,
    ...(parentManifestKey === undefined ? {} : { parentManifestKey }),
  });
  const collection = await writer.beginCollection({
    database: "bench",
    name: "orders",
    type: "collection",
    options: Uint8Array.of(5, 0, 0, 0, 0),
    indexes: [],
  });
  for await (const piece of wholeDocuments(path)) await collection.write(piece);
  await collection.end();
  const committed = await writer.commit({ consistency: "exact", serverVersion: "7.0.0", capturedAtMs: 0 });
  return {
    manifestKey: committed.manifestKey,
    sizeBytes: committed.dataSizeBytes,
    addedBytes: committed.addedSizeBytes,
  };
}

/** A file's documents, about 1 MiB of whole ones at a time; the next piece is read while the one before is used. */
async function* wholeDocuments(path: string): AsyncGenerator<Uint8Array> {
  await using file = await open(path, "r");
  const buffers = [Buffer.alloc(2 * pieceBytes), Buffer.alloc(2 * pieceBytes)] as const;
  const read = (buffer: Buffer, position: number) => file.read(buffer, 0, pieceBytes, position);
  let position = 0;
  let reading = read(buffers[0], position);
  for (let turn = 0; ; turn += 1) {
    const { bytesRead } = await reading;
    if (bytesRead === 0) return;
    const bytes = (turn % 2 === 0 ? buffers[0] : buffers[1]).subarray(0, bytesRead);
    const end = lastEnd(bytes);
    if (end === 0) throw new Error("a document is larger than a piece");
    position += end;
    reading = read(turn % 2 === 0 ? buffers[1] : buffers[0], position);
    yield bytes.subarray(0, end);
  }
}

/** Where the last whole document ends. */
function lastEnd(bytes: Buffer): number {
  let position = 0;
  while (position + 4 <= bytes.length) {
    const next = position + bytes.readInt32LE(position);
    if (next > bytes.length) break;
    position = next;
  }
  return position;
}
