import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, test } from "node:test";
import { createMemoryBlobStore } from "../adapters/blob-memory/memory-blob-store.ts";
import type { BlobStore } from "../ports/blob-store.ts";
import { type BackupStore, openBackupStore } from "./index.ts";

const key = Buffer.alloc(32, 1);
const open = (blobs: BlobStore, secret: Uint8Array | string = key): Promise<BackupStore> =>
  openBackupStore({ blobs, secret, randomBytes });

describe("key slots", () => {
  test("a second secret opens the same repository, and a removed one opens nothing", async () => {
    const blobs = createMemoryBlobStore();
    const store = await open(blobs);
    await store.keySlots.add("a long passphrase", "passphrase");
    const again = await open(blobs, "a long passphrase");
    assert.deepEqual(again.sealingKey, store.sealingKey);
    const first = (await store.keySlots.find(key)) ?? "";
    await again.keySlots.remove(first);
    await assert.rejects(open(blobs), /master key is none that opens/);
    await assert.rejects(open(blobs, "a long passphrasE"), /passphrase is none that opens/);
    assert.deepEqual((await open(blobs, "a long passphrase")).sealingKey, store.sealingKey);
  });

  test("the only slot cannot be removed, nor one that is not there", async () => {
    const store = await open(createMemoryBlobStore());
    const [only] = await store.keySlots.list();
    await assert.rejects(store.keySlots.remove(only?.id ?? ""), /only key slot/);
    await assert.rejects(store.keySlots.remove("0000000000000000"), /no key slot/);
  });

  test("one copy may be lost or hurt", async () => {
    const objects = new Map<string, Buffer>();
    const { sealingKey } = await open(createMemoryBlobStore(objects));
    for (const name of [...objects.keys()].filter((one) => one.startsWith("keys/"))) {
      const left = new Map([...objects].filter(([one]) => one !== name));
      const store = await open(createMemoryBlobStore(left));
      assert.deepEqual(store.sealingKey, sealingKey);
      assert.equal((await store.keySlots.list())[0]?.readableCopies, 1);
    }
  });

  test("of many that make a repository at once all get the same one", async () => {
    const objects = new Map<string, Buffer>();
    const stores = await Promise.all(Array.from({ length: 5 }, () => open(createMemoryBlobStore(objects))));
    const again = await open(createMemoryBlobStore(objects));
    for (const { sealingKey } of stores) assert.deepEqual(sealingKey, again.sealingKey);
    assert.equal((await again.keySlots.list()).length, 1);
  });

  test("a making that breaks off at any operation is finished by the next", async () => {
    for (let at = 0; at < 12; at += 1) {
      const objects = new Map<string, Buffer>();
      const good = createMemoryBlobStore(objects);
      let operations = 0;
      const counted = async <Result>(work: () => Promise<Result>): Promise<Result> => {
        operations += 1;
        if (operations > at) throw new Error("the process is dead");
        return work();
      };
      const dying: BlobStore = {
        ...good,
        put: (name, parts) => counted(() => good.put(name, parts)),
        get: (name) => counted(() => good.get(name)),
      };
      const dead = await open(dying).catch(() => undefined);
      const { sealingKey } = await open(good);
      if (dead !== undefined) assert.deepEqual(dead.sealingKey, sealingKey);
      assert.deepEqual((await open(good)).sealingKey, sealingKey);
    }
  });

  test("a listing that wrongly shows nothing replaces nothing", async () => {
    const objects = new Map<string, Buffer>();
    const { sealingKey } = await open(createMemoryBlobStore(objects));
    const before = new Map(objects);
    // eslint-disable-next-line require-yield
    const blind: BlobStore = { ...createMemoryBlobStore(objects), async *list() {} };
    await assert.rejects(open(blind));
    assert.deepEqual(objects, before);
    assert.deepEqual((await open(createMemoryBlobStore(objects))).sealingKey, sealingKey);
  });

  test("a store whose slots are lost is not made anew over what is there", async () => {
    const objects = new Map<string, Buffer>();
    await open(createMemoryBlobStore(objects));
    for (const name of objects.keys()) if (name.startsWith("keys/")) objects.delete(name);
    await assert.rejects(open(createMemoryBlobStore(objects)), /no key slot any more/);
  });
});
