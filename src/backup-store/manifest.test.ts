import assert from "node:assert/strict";
import { test } from "node:test";
import { deriveKeys } from "./keys.ts";
import { type Manifest, openManifest, sealManifest } from "./manifest.ts";

const keys = deriveKeys(Buffer.alloc(32, 5), Buffer.alloc(16, 1));
const manifestKey = "manifests/aaaaaaaaaaaaaaaaaaaaaaaa/0000000000000000";

test("a manifest of more than 17 MiB, as many collections with many indexes make, comes back whole", () => {
  const collection = {
    database: "shop",
    type: "collection",
    options: Uint8Array.of(5, 0, 0, 0, 0),
    indexes: Array.from({ length: 10 }, (_, index) => Buffer.alloc(300, index)),
    documentCount: 0,
    dataSizeBytes: 0,
    tree: { level: 0, entries: [] },
  } as const;
  const manifest: Manifest = {
    lineageId: "l",
    snapshotId: "a".repeat(24),
    facts: { consistency: "exact", serverVersion: "7.0.0", capturedAtMs: 1000 },
    collections: Array.from({ length: 7000 }, (_, number) => ({ ...collection, name: `c${number}` })),
    packIds: [],
    storageSizeBytes: 0,
  };
  const opened = openManifest(sealManifest(manifest, keys, manifestKey, Buffer.alloc(12)), keys, manifestKey);
  assert.equal(opened.collections.length, 7000);
  assert.equal(opened.collections.at(-1)?.name, "c6999");
  assert.deepEqual(Buffer.from(opened.collections.at(-1)?.indexes.at(-1) ?? []), Buffer.alloc(300, 9));
});
