import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { loadOrCreateMasterKey } from "./master-key-file.ts";

describe("the file of the master key", () => {
  let folder: string;
  let path: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "telamon-key-"));
    path = join(folder, "master.key");
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  test("a key is made once, is the owner's alone, and is the same the next time", async () => {
    const made = await loadOrCreateMasterKey(path, randomBytes);
    assert.equal(made.length, 32);
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    const again = await loadOrCreateMasterKey(path, () => assert.fail("a second key was made"));
    assert.deepEqual(Buffer.from(again), Buffer.from(made));
    assert.deepEqual(await readdir(folder), ["master.key"]);
  });

  test("what a dead process left unfinished never becomes the key", async () => {
    await writeFile(`${path}.unfinished`, "short", { mode: 0o600 });
    assert.equal((await loadOrCreateMasterKey(path, randomBytes)).length, 32);
    assert.deepEqual(await readdir(folder), ["master.key"]);
  });

  for (const mode of [0o640, 0o604, 0o620, 0o602, 0o610, 0o601, 0o644, 0o660])
    test(`a key with mode ${mode.toString(8)} is refused and not touched`, async () => {
      await writeFile(path, Buffer.alloc(32, 1), { mode: 0o600 });
      await chmod(path, mode);
      await assert.rejects(loadOrCreateMasterKey(path, randomBytes), /read by others/);
      assert.deepEqual(await readFile(path), Buffer.alloc(32, 1));
    });

  for (const length of [0, 31, 33, 64])
    test(`a key of ${length} bytes is refused and not replaced`, async () => {
      await writeFile(path, Buffer.alloc(length, 1), { mode: 0o600 });
      await assert.rejects(loadOrCreateMasterKey(path, randomBytes), new RegExp(`has ${length} bytes`));
      assert.equal((await stat(path)).size, length);
    });

  test("an error never tells bytes of the key", async () => {
    const secret = Buffer.from("correct horse battery staple!!!!!");
    await writeFile(path, secret, { mode: 0o600 });
    await assert.rejects(loadOrCreateMasterKey(path, randomBytes), (error) => !String(error).includes("horse"));
  });
});
