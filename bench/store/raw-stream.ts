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
  await using file = await open(path, "r");
  let left = Buffer.alloc(0);
  for (;;) {
    const buffer = Buffer.allocUnsafe(left.length + pieceBytes);
    left.copy(buffer);
    const { bytesRead } = await file.read(buffer, left.length, pieceBytes);
    const bytes = buffer.subarray(0, left.length + bytesRead);
    if (bytesRead === 0) break;
    const end = wholeDocuments(bytes);
    await collection.write(bytes.subarray(0, end));
    left = bytes.subarray(end);
  }
  await collection.end();
  const committed = await writer.commit({ consistency: "exact", serverVersion: "7.0.0", capturedAtMs: 0 });
  return {
    manifestKey: committed.manifestKey,
    sizeBytes: committed.dataSizeBytes,
    addedBytes: committed.addedSizeBytes,
  };
}

/** Where the last whole document ends. */
function wholeDocuments(bytes: Buffer): number {
  let position = 0;
  while (position + 4 <= bytes.length) {
    const next = position + bytes.readInt32LE(position);
    if (next > bytes.length) break;
    position = next;
  }
  return position;
}
