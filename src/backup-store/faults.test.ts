import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, test } from "node:test";
import { serialize } from "bson";
import { createMemoryBlobStore } from "../adapters/blob-memory/memory-blob-store.ts";
import type { BlobStore } from "../ports/blob-store.ts";
import type {
  CollectionWriter,
  SnapshotFacts,
  SnapshotRepository,
  SnapshotWriter,
} from "../ports/snapshot-repository.ts";
import { openBackupStore } from "./index.ts";

const facts: SnapshotFacts = { consistency: "exact", serverVersion: "7.0.0", capturedAtMs: 1000 };
const emptyDocument = Uint8Array.of(5, 0, 0, 0, 0);
const open = (blobs: BlobStore): Promise<SnapshotRepository> =>
  openBackupStore({ blobs, secret: Buffer.alloc(32, 5), randomBytes });

function documents(count: number, firstChanged: number): Buffer {
  return Buffer.concat(
    Array.from({ length: count }, (_, position) =>
      serialize({ _id: position, changed: position >= firstChanged, text: "telamon ".repeat(100) }),
    ),
  );
}

async function begin(
  store: SnapshotRepository,
  snapshotId: string,
  parentManifestKey?: string,
): Promise<{ writer: SnapshotWriter; collection: CollectionWriter }> {
  const writer = await store.begin({
    lineageId: "l",
    snapshotId,
    ...(parentManifestKey === undefined ? {} : { parentManifestKey }),
  });
  const collection = await writer.beginCollection({
    database: "shop",
    name: "orders",
    type: "collection",
    options: emptyDocument,
    indexes: [],
  });
  return { writer, collection };
}

async function take(
  store: SnapshotRepository,
  snapshotId: string,
  content: Uint8Array,
  parentManifestKey?: string,
): Promise<string> {
  const { writer, collection } = await begin(store, snapshotId, parentManifestKey);
  await collection.write(content);
  await collection.end();
  return (await writer.commit(facts)).manifestKey;
}

async function restored(store: SnapshotRepository, manifestKey: string): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const piece of (await store.open(manifestKey)).documents("shop", "orders")) parts.push(piece);
  return Buffer.concat(parts);
}

const faults = ["fails before it", "fails after it", "answers other bytes"] as const;

/** A store whose `at`-th operation goes wrong; counts them. */
function faulty(good: BlobStore, fault: (typeof faults)[number], at: number): { blobs: BlobStore; count(): number } {
  let operations = 0;
  const spoil = async <Result>(work: () => Promise<Result>): Promise<Result> => {
    const isHit = operations === at;
    operations += 1;
    if (isHit && fault === "fails before it") throw new Error("the disk is gone");
    const result = await work();
    if (isHit && fault === "fails after it") throw new Error("the connection is gone");
    if (isHit && fault === "answers other bytes" && result instanceof Uint8Array && result.length > 0)
      result[result.length >> 1] = (result[result.length >> 1] as number) ^ 1;
    return result;
  };
  return {
    blobs: {
      put: (key, parts) => spoil(() => good.put(key, parts)),
      get: (key) => spoil(() => good.get(key)),
      getRange: (key, offset, lengthBytes) => spoil(() => good.getRange(key, offset, lengthBytes)),
      stat: (key) => spoil(() => good.stat(key)),
      delete: (key) => spoil(() => good.delete(key)),
      list: (prefix) => good.list(prefix),
    },
    count: () => operations,
  };
}

describe("a snapshot over a store that goes wrong", () => {
  const before = documents(2000, 2000);
  const after = documents(2000, 1500);

  for (const fault of faults)
    test(`that ${fault} at any one operation restores or is refused, and leaves no manifest when refused`, async () => {
      let refused = 0;
      for (let at = 0; ; at += 1) {
        const objects = new Map<string, Buffer>();
        const good = createMemoryBlobStore(objects);
        const parent = await take(await open(good), "a".repeat(24), before);
        const { blobs, count } = faulty(good, fault, at);
        const child = await open(blobs)
          .then((store) => take(store, "b".repeat(24), after, parent))
          .catch(() => undefined);
        if (child === undefined) {
          refused += 1;
          assert.deepEqual(
            [...objects.keys()].filter((key) => key.startsWith(`manifests/${"b".repeat(24)}`)),
            [],
            `operation ${at}`,
          );
        } else assert.ok((await restored(await open(good), child)).equals(after), `operation ${at}`);
        // The parent is untouched by whatever happened.
        assert.ok((await restored(await open(good), parent)).equals(before), `operation ${at}`);
        if (count() <= at) break;
      }
      assert.ok(refused >= 3, `only ${refused} operations mattered`);
    });

  test("garbage collection that fails at any one operation leaves the live snapshot whole", async () => {
    for (let at = 0; ; at += 1) {
      const good = createMemoryBlobStore();
      const kept = await take(await open(good), "a".repeat(24), before);
      await take(await open(good), "b".repeat(24), after, kept);
      const { blobs, count } = faulty(good, "fails before it", at);
      await open(blobs)
        .then((store) =>
          store.collectGarbage({
            liveManifestKeys: async () => new Set([kept]),
            snapshotIdsInProgress: async () => new Set<string>(),
            neverKnown: async () => new Set<string>(),
            nowMs: 0,
            graceMs: 0,
          }),
        )
        .catch(() => undefined);
      assert.ok((await restored(await open(good), kept)).equals(before), `operation ${at}`);
      if (count() <= at) break;
    }
  });

  test("a listing that breaks off deletes nothing", async () => {
    const objects = new Map<string, Buffer>();
    const good = createMemoryBlobStore(objects);
    await take(await open(good), "a".repeat(24), before);
    const held = objects.size;
    const store = await open({
      ...good,
      async *list(prefix) {
        yield* good.list(prefix);
        if (prefix !== "keys/") throw new Error("the listing broke off");
      },
    });
    const request = {
      liveManifestKeys: async () => new Set<string>(),
      snapshotIdsInProgress: async () => new Set<string>(),
      neverKnown: async () => new Set<string>(),
      nowMs: 0,
      graceMs: 0,
    };
    await assert.rejects(store.collectGarbage(request), /broke off/);
    assert.equal(objects.size, held);
  });
});

describe("documents that are not what they should be", () => {
  const good = documents(10, 10);

  test("after a refused write the snapshot cannot be committed, whatever the caller goes on to do", async () => {
    const objects = new Map<string, Buffer>();
    const { writer, collection } = await begin(await open(createMemoryBlobStore(objects)), "a".repeat(24));
    await assert.rejects(collection.write(Buffer.concat([good, Uint8Array.of(9, 0, 0, 0, 0)])), /whole documents/);
    await assert.rejects(collection.write(good), /can only be aborted/);
    await assert.rejects(collection.end(), /can only be aborted/);
    await assert.rejects(writer.commit(facts), /has not ended/);
    await writer.abort();
    assert.deepEqual(
      [...objects.keys()].filter((key) => !key.startsWith("keys/")),
      ["format"],
    );
  });

  for (const type of [0x02, 0x03, 0x04, 0x05, 0x0d, 0x0e, 0x0f])
    test(`a length in an _id of type ${type} that no value has is kept like any other bytes`, async () => {
      for (const length of [-(2 ** 31), -100, -5, -4, -1, 0, 1, 4, 1000, 2 ** 31 - 1]) {
        const strange = Buffer.alloc(400);
        strange.writeInt32LE(400, 0);
        strange[4] = type;
        strange.write("_id\0", 5, "latin1");
        strange.writeInt32LE(length, 9);
        const content = Buffer.concat([strange, good, strange]);
        const store = await open(createMemoryBlobStore());
        assert.ok((await restored(store, await take(store, "a".repeat(24), content))).equals(content), String(length));
      }
    });
});
