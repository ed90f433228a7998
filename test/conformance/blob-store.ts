import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { BlobError, type BlobErrorCode, type BlobStore } from "../../src/ports/blob-store.ts";

export interface OpenedBlobStore {
  readonly blobs: BlobStore;
  /** Removes its traces. */
  close(): Promise<void>;
}

/** Everything an adapter of the blob store port promises; `open` answers a new, empty one each time. */
export function describeBlobStore(name: string, open: () => Promise<OpenedBlobStore>): void {
  describe(`blob store: ${name}`, () => {
    let opened: OpenedBlobStore;
    const blobs = (): BlobStore => opened.blobs;
    beforeEach(async () => {
      opened = await open();
    });
    afterEach(() => opened.close());

    describe("putting and getting", () => objectPromises(blobs));
    describe("ranges", () => rangePromises(blobs));
    describe("listing and deleting", () => listingPromises(blobs));
    describe("keys", () => keyPromises(blobs));
  });
}

function objectPromises(blobs: () => BlobStore): void {
  test("the parts of an object come back as one, byte for byte", async () => {
    const all = Uint8Array.from({ length: 70_000 }, (_, position) => position * 31);
    await blobs().put("a/b/c", [all.subarray(0, 1), all.subarray(1, 1), all.subarray(1, 65_000), all.subarray(65_000)]);
    assert.deepEqual(Uint8Array.from(await blobs().get("a/b/c")), all);
    assert.deepEqual(await blobs().stat("a/b/c"), { key: "a/b/c", sizeBytes: all.length });
  });

  test("an object may be empty", async () => {
    await blobs().put("empty", []);
    assert.equal((await blobs().get("empty")).length, 0);
    assert.deepEqual(await blobs().stat("empty"), { key: "empty", sizeBytes: 0 });
  });

  test("what the caller does to its buffers afterwards changes nothing that is stored", async () => {
    const given = Uint8Array.of(1, 2, 3);
    await blobs().put("mine", [given]);
    given.fill(9);
    const answered = await blobs().get("mine");
    answered.fill(8);
    (await blobs().getRange("mine", 0, 3)).fill(7);
    assert.deepEqual([...(await blobs().get("mine"))], [1, 2, 3]);
  });

  test("the same bytes may be put again, other bytes never replace them", async () => {
    await blobs().put("once", [Uint8Array.of(1, 2), Uint8Array.of(3)]);
    await blobs().put("once", [Uint8Array.of(1), Uint8Array.of(2, 3)]);
    for (const other of [[Uint8Array.of(1, 2, 4)], [Uint8Array.of(1, 2)], [Uint8Array.of(1, 2, 3, 4)], []])
      await failsWith("blob_exists", () => blobs().put("once", other));
    assert.deepEqual([...(await blobs().get("once"))], [1, 2, 3]);
  });

  test("of many that put other bytes at once exactly one wins, and its object is whole", async () => {
    const contents = Array.from({ length: 8 }, (_, writer) => new Uint8Array(50_000).fill(writer));
    const results = await Promise.allSettled(contents.map((content) => blobs().put("race", [content])));
    assert.equal(results.filter(({ status }) => status === "fulfilled").length, 1);
    for (const result of results)
      if (result.status === "rejected") assert.equal((result.reason as BlobError).code, "blob_exists");
    const won = results.findIndex(({ status }) => status === "fulfilled");
    assert.deepEqual(Uint8Array.from(await blobs().get("race")), contents[won]);
  });

  test("what is not there is not found, and has no size", async () => {
    await failsWith("blob_not_found", () => blobs().get("nothing/here"));
    await failsWith("blob_not_found", () => blobs().getRange("nothing/here", 0, 1));
    assert.equal(await blobs().stat("nothing/here"), undefined);
  });
}

function rangePromises(blobs: () => BlobStore): void {
  const content = Uint8Array.from({ length: 1000 }, (_, position) => position);

  test("a range is exactly what stands there, up to the last byte", async () => {
    await blobs().put("r", [content]);
    for (const [offset, length] of [
      [0, 1],
      [0, 1000],
      [999, 1],
      [300, 400],
      [1000, 0],
    ] as const)
      assert.deepEqual(
        Uint8Array.from(await blobs().getRange("r", offset, length)),
        content.slice(offset, offset + length),
      );
  });

  test("a range past the end is an error, never fewer bytes", async () => {
    await blobs().put("r", [content]);
    for (const [offset, length] of [
      [0, 1001],
      [999, 2],
      [1000, 1],
      [5000, 1],
    ] as const)
      await failsWith("blob_range", () => blobs().getRange("r", offset, length));
  });

  test("a range that begins before the object or has a negative length is an error", async () => {
    await blobs().put("r", [content]);
    for (const [offset, length] of [
      [-1, 5],
      [5, -1],
    ] as const)
      await failsWith("blob_range", () => blobs().getRange("r", offset, length));
  });
}

function listingPromises(blobs: () => BlobStore): void {
  const listed = async (prefix: string): Promise<string[]> => {
    const found: string[] = [];
    for await (const { key, sizeBytes } of blobs().list(prefix)) found.push(`${key} ${sizeBytes}`);
    return found.toSorted();
  };

  test("a listing holds every object under its prefix with its size, and nothing else", async () => {
    assert.deepEqual(await listed(""), []);
    await blobs().put("packs/aa/1", [new Uint8Array(10)]);
    await blobs().put("packs/ab/2", [new Uint8Array(20)]);
    await blobs().put("manifests/aa/3", [new Uint8Array(30)]);
    assert.deepEqual(await listed(""), ["manifests/aa/3 30", "packs/aa/1 10", "packs/ab/2 20"]);
    assert.deepEqual(await listed("packs/"), ["packs/aa/1 10", "packs/ab/2 20"]);
    assert.deepEqual(await listed("packs/a"), ["packs/aa/1 10", "packs/ab/2 20"]);
    assert.deepEqual(await listed("packs/aa/"), ["packs/aa/1 10"]);
    assert.deepEqual(await listed("nothing/"), []);
  });

  test("a deleted object is gone for every question, its neighbours stay, and its key is free again", async () => {
    await blobs().put("d/1", [Uint8Array.of(1)]);
    await blobs().put("d/2", [Uint8Array.of(2)]);
    await blobs().delete("d/1");
    await failsWith("blob_not_found", () => blobs().get("d/1"));
    assert.equal(await blobs().stat("d/1"), undefined);
    assert.deepEqual(await listed(""), ["d/2 1"]);
    await blobs().put("d/1", [Uint8Array.of(7)]);
    assert.deepEqual([...(await blobs().get("d/1"))], [7]);
  });

  test("deleting what is not there is fine", async () => {
    await blobs().delete("never/was");
    await blobs().put("d/1", [Uint8Array.of(1)]);
    await blobs().delete("d/1");
    await blobs().delete("d/1");
  });
}

function keyPromises(blobs: () => BlobStore): void {
  test("a key may have 512 characters", async () => {
    // Segments short enough for file systems, which take 255.
    const key = `${"k/".repeat(156)}${"z".repeat(200)}`;
    assert.equal(key.length, 512);
    await blobs().put(key, [Uint8Array.of(1)]);
    assert.deepEqual([...(await blobs().get(key))], [1]);
  });

  for (const [what, key] of [
    ["an empty key", ""],
    ["513 characters", `${"k/".repeat(156)}${"z".repeat(201)}`],
    ["a step upwards", "packs/../format"],
    ["a dot alone", "./format"],
    ["an absolute path", "/format"],
    ["an empty segment", "packs//1"],
    ["an end in a slash", "packs/"],
    ["upper case", "Packs/1"],
    ["a backslash", "packs\\1"],
    ["a zero byte", "packs/\0"],
    ["a line end", "format\n"],
    ["a letter beyond ASCII", "päck"],
  ] as const)
    test(`${what} is no key, for any question`, async () => {
      await failsWith("blob_key_invalid", () => blobs().put(key, []));
      await failsWith("blob_key_invalid", () => blobs().get(key));
      await failsWith("blob_key_invalid", () => blobs().getRange(key, 0, 1));
      await failsWith("blob_key_invalid", () => blobs().stat(key));
      await failsWith("blob_key_invalid", () => blobs().delete(key));
    });
}

/** The error is the port's own, whether it is thrown at once or later. */
async function failsWith(code: BlobErrorCode, work: () => Promise<unknown>): Promise<void> {
  await assert.rejects(
    async () => work(),
    (error) => {
      assert.ok(error instanceof BlobError, `not a BlobError: ${String(error)}`);
      assert.equal(error.code, code);
      return true;
    },
  );
}
