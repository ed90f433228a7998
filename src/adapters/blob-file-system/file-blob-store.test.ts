import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtemp, readdir, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { describeBlobStore } from "../../../test/conformance/blob-store.ts";
import { BlobError } from "../../ports/blob-store.ts";
import { createFileBlobStore } from "./file-blob-store.ts";

describeBlobStore("files below a folder", async () => {
  const root = await mkdtemp(join(tmpdir(), "telamon-blobs-"));
  return {
    blobs: await createFileBlobStore({ root, randomBytes }),
    close: () => rm(root, { recursive: true, force: true }),
  };
});

describe("the blob store of files", () => {
  let root: string;
  beforeEach(async () => {
    root = join(await mkdtemp(join(tmpdir(), "telamon-blobs-")), "store");
  });
  afterEach(() => rm(join(root, ".."), { recursive: true, force: true }));

  test("files are the owner's alone, folders too", async () => {
    const blobs = await createFileBlobStore({ root, randomBytes });
    await blobs.put("packs/aa/1", [Uint8Array.of(1)]);
    for (const [path, mode] of [
      ["", 0o700],
      ["packs", 0o700],
      ["packs/aa", 0o700],
      ["packs/aa/1", 0o600],
    ] as const)
      assert.equal((await stat(join(root, path))).mode & 0o777, mode, path);
  });

  test("what a dead process left unfinished is gone after opening, and was never listed", async () => {
    const before = await createFileBlobStore({ root, randomBytes });
    await before.put("kept", [Uint8Array.of(1)]);
    await writeFile(join(root, ".unfinished", "half"), "half");
    const keys: string[] = [];
    for await (const { key } of before.list("")) keys.push(key);
    assert.deepEqual(keys, ["kept"]);
    const after = await createFileBlobStore({ root, randomBytes });
    assert.deepEqual(await readdir(join(root, ".unfinished")), []);
    assert.deepEqual([...(await after.get("kept"))], [1]);
  });

  test("neither a put that wins nor one that is refused leaves an unfinished file", async () => {
    const blobs = await createFileBlobStore({ root, randomBytes });
    await blobs.put("once", [Uint8Array.of(1)]);
    await blobs.put("once", [Uint8Array.of(1)]);
    await assert.rejects(blobs.put("once", [Uint8Array.of(2)]), { code: "blob_exists" });
    assert.deepEqual(await readdir(join(root, ".unfinished")), []);
  });

  test("an object is there with a second store opened on the folder later", async () => {
    await (await createFileBlobStore({ root, randomBytes })).put("a/b", [Uint8Array.of(5)]);
    assert.deepEqual([...(await (await createFileBlobStore({ root, randomBytes })).get("a/b"))], [5]);
  });

  test("a folder that cannot be listed is an error, never an empty listing", async () => {
    const blobs = await createFileBlobStore({ root, randomBytes });
    await blobs.put("a", [Uint8Array.of(1)]);
    await rm(root, { recursive: true });
    await assert.rejects(async () => {
      for await (const entry of blobs.list("")) assert.fail(`listed ${entry.key}`);
    }, BlobError);
  });

  test("an object whose file cannot be written does not appear, and is not taken for one that is there", async () => {
    const name = Buffer.alloc(16, 1);
    const blobs = await createFileBlobStore({ root, randomBytes: () => name });
    // The name of the unfinished file is taken by something that leads nowhere.
    await symlink("/nowhere/at/all", join(root, ".unfinished", name.toString("hex")));
    await assert.rejects(blobs.put("a", [Uint8Array.of(1)]), { code: "blob_store_failed" });
    assert.equal(await blobs.stat("a"), undefined);
    await blobs.put("a", [Uint8Array.of(2)]);
    assert.deepEqual([...(await blobs.get("a"))], [2]);
  });
});
