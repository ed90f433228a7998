import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { describe, test } from "node:test";
import { ObjectId, serialize } from "bson";
import fc from "fast-check";
import { createMemoryBlobStore } from "../adapters/blob-memory/memory-blob-store.ts";
import { type BlobStore } from "../ports/blob-store.ts";
import { SnapshotDamaged, type SnapshotFacts, type SnapshotRepository } from "../ports/snapshot-repository.ts";
import { type Chunk, chunkMaxBytes, Chunker, chunkMinBytes } from "./chunker.ts";
import { openBackupStore } from "./index.ts";
import { deriveKeys } from "./keys.ts";

const masterKey = Buffer.alloc(32, 5);
const facts: SnapshotFacts = {
  consistency: "exact",
  clusterTime: { seconds: 7, increment: 1 },
  serverVersion: "7.0.0",
  capturedAtMs: 1000,
};
const emptyDocument = Uint8Array.of(5, 0, 0, 0, 0);
const newId = (): string => new ObjectId().toHexString();

function orders(count: number, changed: ReadonlySet<number> = new Set()): Uint8Array {
  return Buffer.concat(
    Array.from({ length: count }, (_, position) =>
      serialize({
        _id: position,
        status: changed.has(position) ? "changed" : "open",
        text: createHash("shake256", { outputLength: 200 }).update(String(position)).digest("base64"),
        n: position / 3,
      }),
    ),
  );
}

async function take(
  store: SnapshotRepository,
  collections: Readonly<Record<string, Uint8Array>>,
  parentManifestKey?: string,
): Promise<{ manifestKey: string; storageSizeBytes: number; addedSizeBytes: number }> {
  const writer = await store.begin({
    lineageId: "l",
    snapshotId: newId(),
    ...(parentManifestKey === undefined ? {} : { parentManifestKey }),
  });
  for (const [name, documents] of Object.entries(collections)) {
    const collection = await writer.beginCollection({
      database: "shop",
      name,
      type: "collection",
      uuid: Buffer.alloc(16, 1),
      options: emptyDocument,
      indexes: [emptyDocument],
    });
    // Pieces that end between documents, as a source gives them.
    for (const piece of pieces(documents)) await collection.write(piece);
    await collection.end();
  }
  return writer.commit(facts);
}

function* pieces(documents: Uint8Array): Generator<Uint8Array> {
  let start = 0;
  let position = 0;
  while (position < documents.length) {
    position += Buffer.from(documents.buffer, documents.byteOffset).readInt32LE(position);
    if (position - start < 300_000 && position < documents.length) continue;
    yield documents.subarray(start, position);
    start = position;
  }
}

async function restored(store: SnapshotRepository, manifestKey: string, name: string): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const piece of (await store.open(manifestKey)).documents("shop", name)) parts.push(piece);
  return Buffer.concat(parts);
}

const open = (blobs: BlobStore): Promise<SnapshotRepository> =>
  openBackupStore({ blobs, secret: masterKey, randomBytes });

describe("chunks", () => {
  const keys = deriveKeys(masterKey, Buffer.alloc(16, 1));
  const cut = (documents: Uint8Array): Chunk[] => {
    const chunker = new Chunker(keys);
    const chunks = [...pieces(documents)].flatMap((piece) => [...chunker.push(piece)]);
    const last = chunker.finish();
    return last === undefined ? chunks : [...chunks, last];
  };
  const documents = fc.array(
    fc.record({
      _id: fc.oneof(fc.integer(), fc.string(), fc.uint8Array({ minLength: 1, maxLength: 20 })),
      text: fc.string({ maxLength: 5000 }),
    }),
    { maxLength: 200 },
  );

  test("chunks put together are what was cut, each of whole documents and within the bounds", () => {
    fc.assert(
      fc.property(documents, (all) => {
        const bytes = Buffer.concat(all.map((document) => serialize(document)));
        const chunks = cut(bytes);
        assert.ok(Buffer.concat(chunks.map((chunk) => chunk.bytes)).equals(bytes));
        for (const chunk of chunks.slice(0, -1)) assert.ok(chunk.bytes.length >= chunkMinBytes);
        for (const chunk of chunks) assert.ok(chunk.bytes.length <= chunkMaxBytes || chunk.documentCount === 1);
        assert.equal(
          chunks.reduce((sum, chunk) => sum + chunk.documentCount, 0),
          all.length,
        );
      }),
      { numRuns: 100 },
    );
  });

  test("the mean is about 16 KiB, and a change touches a chunk or two", () => {
    const before = cut(orders(60_000));
    const mean = before.reduce((sum, chunk) => sum + chunk.bytes.length, 0) / before.length;
    assert.ok(mean > 12_000 && mean < 21_000, `mean ${mean}`);
    const ids = new Set(before.map((chunk) => keys.chunkId(chunk.bytes).toString("hex")));
    const changed = cut(orders(60_000, new Set([30_000]))).filter(
      (chunk) => !ids.has(keys.chunkId(chunk.bytes).toString("hex")),
    );
    assert.ok(changed.length >= 1 && changed.length <= 3, `${changed.length} chunks changed`);
  });

  for (const [size, alone] of [
    [chunkMaxBytes - 1, false],
    [chunkMaxBytes, false],
    [chunkMaxBytes + 1, true],
  ] as const) {
    test(`a document of ${size} bytes is ${alone ? "a chunk of its own, though too large" : "kept whole"}`, () => {
      const overhead = serialize({ _id: 1, text: "" }).length;
      const large = serialize({ _id: 1, text: "x".repeat(size - overhead) });
      assert.equal(large.length, size);
      const small = serialize({ _id: 2, text: "small" });
      const chunks = cut(Buffer.concat([small, large, small]));
      const holder = chunks.find((chunk) => chunk.bytes.length >= size);
      assert.equal(holder?.documentCount, 1);
    });
  }

  test("bytes that are no whole documents are refused", () => {
    for (const bad of [
      Buffer.alloc(3),
      Buffer.from([4, 0, 0, 0]),
      Buffer.from([9, 0, 0, 0, 0]),
      Buffer.from([5, 0, 0, 0, 1]),
    ]) {
      assert.throws(() => [...new Chunker(keys).push(bad)], /whole documents/);
    }
  });
});

describe("the backup store", () => {
  test("what was stored comes back byte for byte, and compares equal to itself alone", async () => {
    const store = await open(createMemoryBlobStore());
    const documents = orders(20_000);
    const { manifestKey } = await take(store, { orders: documents, nothing: Buffer.alloc(0) });
    assert.ok((await restored(store, manifestKey, "orders")).equals(documents));
    assert.equal((await restored(store, manifestKey, "nothing")).length, 0);
    const reader = await store.open(manifestKey);
    const stream = (bytes: Uint8Array): AsyncIterable<Uint8Array> =>
      (async function* () {
        yield* pieces(bytes);
      })();
    assert.deepEqual(await reader.compare("shop", "orders", stream(documents)), {
      equal: true,
      documentCount: 20_000,
      dataSizeBytes: documents.length,
    });
    assert.equal((await reader.compare("shop", "orders", stream(orders(20_000, new Set([19_999]))))).equal, false);
    assert.equal((await reader.compare("shop", "orders", stream(orders(19_999)))).equal, false);
    assert.equal((await reader.compare("shop", "orders", stream(orders(20_001)))).equal, false);
    assert.deepEqual(reader.facts, facts);
    await reader.verify();
  });

  test("an unchanged second snapshot adds kilobytes; one with 0.1 % changed adds less than an eighth", async () => {
    const store = await open(createMemoryBlobStore());
    const first = await take(store, { orders: orders(40_000) });
    const same = await take(store, { orders: orders(40_000) }, first.manifestKey);
    assert.ok(same.addedSizeBytes < 20_000, `${same.addedSizeBytes} bytes for nothing new`);
    const changed = new Set(Array.from({ length: 40 }, (_, index) => index * 997));
    const next = await take(store, { orders: orders(40_000, changed) }, same.manifestKey);
    assert.ok(next.addedSizeBytes < first.addedSizeBytes / 8, `${next.addedSizeBytes} of ${first.addedSizeBytes}`);
    assert.ok((await restored(store, next.manifestKey, "orders")).equals(Buffer.from(orders(40_000, changed))));
    assert.ok(Math.abs(same.storageSizeBytes - first.storageSizeBytes) < first.storageSizeBytes / 20);
  });

  test("any one byte flipped anywhere never gives wrong documents", async () => {
    const objects = new Map<string, Buffer>();
    const documents = orders(120);
    const { manifestKey } = await take(await open(createMemoryBlobStore(objects)), { orders: documents });
    for (const [key, original] of objects) {
      for (let position = 0; position < original.length; position += 1) {
        const flipped = Buffer.from(original);
        flipped[position] = (flipped[position] as number) ^ 0x10;
        objects.set(key, flipped);
        const found = await open(createMemoryBlobStore(objects))
          .then((store) => restored(store, manifestKey, "orders"))
          .catch((error: unknown) => {
            assert.ok(error instanceof SnapshotDamaged, `byte ${position} of ${key}: ${String(error)}`);
          });
        if (found !== undefined) assert.ok(found.equals(documents), `byte ${position} of ${key}`);
        else assert.match(key, /^(packs|manifests)\//);
      }
      objects.set(key, original);
    }
  });

  test("a store that fails or lies at any one step never gives a commit that does not restore", async () => {
    const documents = orders(3000);
    for (const fault of ["throws", "stores half", "stores other bytes"] as const) {
      for (let at = 0; at < 6; at += 1) {
        const objects = new Map<string, Buffer>();
        const good = createMemoryBlobStore(objects);
        let puts = 0;
        const store = await open({
          ...good,
          async put(key, parts) {
            puts += 1;
            if (puts - 4 !== at) return good.put(key, parts);
            const bytes = Buffer.concat(parts);
            if (fault === "throws") throw new Error("the disk is gone");
            objects.set(
              key,
              fault === "stores half"
                ? bytes.subarray(0, bytes.length >> 1)
                : Buffer.from(bytes).fill(7, bytes.length >> 1, (bytes.length >> 1) + 9),
            );
          },
        });
        const result = await take(store, { orders: documents }).catch(() => undefined);
        if (result !== undefined)
          assert.ok(
            (await restored(await open(good), result.manifestKey, "orders")).equals(documents),
            `${fault} at ${at}`,
          );
      }
    }
  });

  test("garbage goes, what is live stays, what is being written stays", async () => {
    const objects = new Map<string, Buffer>();
    const store = await open(createMemoryBlobStore(objects));
    const kept = await take(store, { orders: orders(5000) });
    const gone = await take(store, { orders: orders(5000, new Set([1, 2, 3])) }, kept.manifestKey);
    const writingId = newId();
    const writing = await store.begin({ lineageId: "l", snapshotId: writingId });
    const collection = await writing.beginCollection({
      database: "shop",
      name: "x",
      type: "collection",
      options: emptyDocument,
      indexes: [],
    });
    await collection.write(
      Buffer.concat(
        Array.from({ length: 20_000 }, (_, position) => serialize({ _id: position, noise: randomBytes(4000) })),
      ),
    );
    const writtenNow = (): string[] => [...objects.keys()].filter((key) => key.includes(writingId));
    const before = writtenNow();
    assert.ok(before.length > 0, "nothing was written yet");
    const request = (
      live: readonly string[],
      inProgress: readonly string[],
    ): Parameters<SnapshotRepository["collectGarbage"]>[0] => ({
      liveManifestKeys: async () => new Set(live),
      snapshotIdsInProgress: async () => new Set(inProgress),
      neverKnown: async () => new Set<string>(),
      nowMs: 0,
      graceMs: 0,
    });
    const report = await store.collectGarbage(request([kept.manifestKey], [writingId]));
    assert.ok(report.deletedObjectCount >= 2);
    assert.ok((await restored(store, kept.manifestKey, "orders")).equals(Buffer.from(orders(5000))));
    await assert.rejects(store.open(gone.manifestKey), SnapshotDamaged);
    // More may have come meanwhile.
    assert.deepEqual(
      before.filter((key) => !objects.has(key)),
      [],
    );
    await writing.abort();
    await store.collectGarbage(request([kept.manifestKey], []));
    assert.deepEqual(writtenNow(), []);
  });

  test("when a live manifest cannot be read nothing is deleted", async () => {
    const objects = new Map<string, Buffer>();
    const store = await open(createMemoryBlobStore(objects));
    const kept = await take(store, { orders: orders(100) });
    await take(store, { orders: orders(100) });
    objects.delete(kept.manifestKey);
    const before = objects.size;
    await assert.rejects(
      store.collectGarbage({
        liveManifestKeys: async () => new Set([kept.manifestKey]),
        snapshotIdsInProgress: async () => new Set(),
        neverKnown: async () => new Set<string>(),
        nowMs: 0,
        graceMs: 0,
      }),
      SnapshotDamaged,
    );
    assert.equal(objects.size, before);
  });

  test("another master key is refused before anything is written", async () => {
    const objects = new Map<string, Buffer>();
    await open(createMemoryBlobStore(objects));
    await assert.rejects(
      openBackupStore({ blobs: createMemoryBlobStore(objects), secret: Buffer.alloc(32, 6), randomBytes }),
      /master key/,
    );
    assert.equal(objects.size, 3);
  });
});
