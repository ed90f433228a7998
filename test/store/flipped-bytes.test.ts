import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { describe, test } from "node:test";
import { serialize } from "bson";
import { createMemoryBlobStore } from "../../src/adapters/blob-memory/memory-blob-store.ts";
import { type BackupStore, openBackupStore } from "../../src/backup-store/index.ts";
import { deployment, organizationId, project, snapshot } from "../support/records.ts";

const secret = Buffer.alloc(32, 5);
const emptyDocument = Uint8Array.of(5, 0, 0, 0, 0);
const open = (objects: Map<string, Buffer>): Promise<BackupStore> =>
  openBackupStore({ blobs: createMemoryBlobStore(objects), secret, randomBytes });

function documents(count: number, name: string, changed: number): Buffer {
  return Buffer.concat(
    Array.from({ length: count }, (_, position) =>
      serialize({
        _id: position,
        name,
        changed: position === changed,
        noise: createHash("shake256", { outputLength: 60 }).update(`${name} ${position}`).digest(),
      }),
    ),
  );
}

interface Taken {
  readonly id: string;
  readonly manifestKey: string;
}

async function take(
  store: BackupStore,
  id: string,
  changed: number,
  parentManifestKey?: string,
  orderCount: number = 20,
): Promise<Taken> {
  const writer = await store.begin({
    lineageId: deployment().id,
    snapshotId: id,
    ...(parentManifestKey === undefined ? {} : { parentManifestKey }),
  });
  for (const name of ["orders", "people"]) {
    const collection = await writer.beginCollection({
      database: "shop",
      name,
      type: "collection",
      options: emptyDocument,
      indexes: [],
    });
    await collection.write(documents(name === "orders" ? orderCount : 10, name, name === "orders" ? changed : -1));
    await collection.end();
  }
  const { manifestKey } = await writer.commit({ consistency: "exact", serverVersion: "7.0.0", capturedAtMs: 1 });
  await store.catalogue({
    revision: 0,
    organization: { id: organizationId, name: "Organization", createdAtMs: 1 },
    project: project(),
    deployment: deployment(),
    snapshot: { ...snapshot(id, { manifestKey }), sequence: 1 },
  });
  return { id, manifestKey };
}

/** Snapshots and collections that cannot be restored, found out by restoring all of them. */
async function unrestorable(store: BackupStore, taken: readonly Taken[]): Promise<string[]> {
  const lost: string[] = [];
  for (const { id, manifestKey } of taken) {
    for (const name of ["orders", "people"]) {
      try {
        for await (const piece of (await store.open(manifestKey)).documents("shop", name)) assert.ok(piece.length > 0);
      } catch {
        lost.push(`${id[0]} ${name}`);
      }
    }
  }
  return lost;
}

/** The same, as `verify` reports it. */
async function reported(store: BackupStore): Promise<{ readonly keys: string[]; readonly lost: string[] }> {
  const { damages } = await store.verify();
  const lost = new Set<string>();
  for (const { lostSnapshotIds, ranges } of damages) {
    for (const id of lostSnapshotIds) for (const name of ["orders", "people"]) lost.add(`${id[0]} ${name}`);
    for (const { snapshotId, collection } of ranges) lost.add(`${snapshotId[0]} ${collection}`);
  }
  return { keys: damages.map(({ objectKey }) => objectKey), lost: [...lost].toSorted() };
}

describe("one byte flipped", () => {
  test("anywhere in a repository is found by verify, which names the object, the snapshots and the collections hurt, and nothing else", async () => {
    const objects = new Map<string, Buffer>();
    const store = await open(objects);
    const first = await take(store, "a".repeat(24), -1);
    const taken = [first, await take(store, "b".repeat(24), 10, first.manifestKey)];
    assert.deepEqual(await reported(store), { keys: [], lost: [] });
    const kinds = new Set<string>();
    let outcomes = 0;
    for (const [key, original] of objects) {
      kinds.add(key.split("/")[0] ?? "");
      for (let position = 0; position < original.length; position += 1) {
        const flipped = Buffer.from(original);
        flipped[position] = (flipped[position] as number) ^ (1 << (position % 8));
        objects.set(key, flipped);
        const hurt = await open(objects);
        const report = await reported(hurt);
        const where = `byte ${position} of ${key}`;
        const expected = key.startsWith("keys/") ? report.keys.filter((one) => one.startsWith("keys/")) : [key];
        assert.ok(report.keys.includes(key) || key.startsWith("keys/"), where);
        assert.ok(report.keys.length > 0, where);
        assert.deepEqual(report.keys, expected, where);
        assert.deepEqual(report.lost, (await unrestorable(hurt, taken)).toSorted(), where);
        outcomes += report.lost.length > 0 ? 1 : 0;
      }
      objects.set(key, original);
    }
    assert.deepEqual([...kinds].toSorted(), ["catalogue", "format", "keys", "manifests", "packs"]);
    assert.ok(outcomes > 500, `only ${outcomes} flips hurt a document`);
  });

  test("of a block names exactly the _id range of its chunks, in every snapshot that shares them", async () => {
    const objects = new Map<string, Buffer>();
    const store = await open(objects);
    const first = await take(store, "a".repeat(24), -1, undefined, 2000);
    const second = await take(store, "b".repeat(24), 1000, first.manifestKey, 2000);
    const packKey = [...objects.keys()].find((key) => key.startsWith("packs/bbbb")) ?? "";
    const spoilt = Buffer.from(objects.get(packKey) ?? []);
    spoilt[70] = (spoilt[70] as number) ^ 1;
    objects.set(packKey, spoilt);
    const { damages } = await store.verify();
    assert.deepEqual(
      damages.map(({ objectKey, lostSnapshotIds }) => [objectKey, lostSnapshotIds]),
      [[packKey, []]],
    );
    const ranges = damages[0]?.ranges ?? [];
    assert.deepEqual(new Set(ranges.map(({ snapshotId }) => snapshotId)), new Set([second.id]));
    const [range] = ranges;
    const from = Buffer.from(range?.fromId ?? []).readInt32LE(5);
    const to = range?.toId === undefined ? 2000 : Buffer.from(range.toId).readInt32LE(5);
    assert.ok(from <= 1000 && 1000 < to, `${from} to ${to}`);
    assert.equal(range?.documentCount, to - from);
    assert.ok(to - from < 1000, "not the whole collection");
  });
});

describe("an object lost", () => {
  test("is missing in the report, with what needed it", async () => {
    const objects = new Map<string, Buffer>();
    const store = await open(objects);
    const first = await take(store, "a".repeat(24), -1);
    const second = await take(store, "b".repeat(24), 100, first.manifestKey);
    for (const key of objects.keys()) {
      if (!/^(packs|manifests)\//.test(key)) continue;
      const left = new Map([...objects].filter(([one]) => one !== key));
      const report = await (
        await open(left)
      ).verify({ manifestKeys: new Set([first.manifestKey, second.manifestKey]) });
      assert.deepEqual(
        report.damages.map(({ objectKey }) => objectKey),
        [key],
      );
      assert.match(report.damages[0]?.reason ?? "", /missing|no object/);
    }
  });

  test("only some objects may be asked for, and what is not asked for is not read", async () => {
    const objects = new Map<string, Buffer>();
    const store = await open(objects);
    await take(store, "a".repeat(24), -1);
    const keys = [...objects.keys()].filter((key) => key.startsWith("packs/"));
    const report = await store.verify({ objectKeys: new Set(keys) });
    assert.deepEqual([report.objectCount, report.damages.length, report.snapshotCount], [keys.length, 0, 0]);
  });
});
