import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, test } from "node:test";
import { openBackupStore } from "../../src/backup-store/index.ts";
import { collect, documents, graceMs, restored, take } from "../store/garbage-world.ts";
import { missingServer, openS3Store, type S3Server, startS3Server } from "./versitygw.ts";
import { describeUnless } from "../support/describe-unless.ts";

const skip = (await missingServer()) ?? false;

describeUnless(skip, "garbage in a bucket with object lock", () => {
  let server: S3Server;
  before(async () => {
    server = await startS3Server();
    await server.makeBucket("locked", { withObjectLock: true });
  });
  after(() => server.stop());

  for (const mode of ["GOVERNANCE", "COMPLIANCE"] as const)
    test(`${mode}: the server refuses, what it refuses is told of and stays whole, and what is not locked goes`, async () => {
      const open = async (isLocked: boolean) => {
        const objectLock = isLocked
          ? { mode, days: 1, applies: (key: string) => !key.startsWith("marks/") }
          : undefined;
        const blobs = await openS3Store(server, { bucket: "locked", prefix: `${mode}/`, objectLock });
        return { blobs, store: await openBackupStore({ blobs, secret: Buffer.alloc(32, 5), randomBytes }) };
      };
      const { store, blobs } = await open(true);
      const kept = await take(
        store,
        "a",
        documents(200, 0, () => false),
      );
      const content = documents(200, 1, (at) => at < 60);
      const locked = await take(store, "b", content, kept);
      const { store: unlocked } = await open(false);
      await take(
        unlocked,
        "c",
        documents(200, 2, (at) => at < 60),
        kept,
      );
      await collect(store, [kept], 0);
      const report = await collect(store, [kept], graceMs);
      assert.deepEqual([report.deletedObjectCount, report.lockedObjectCount], [3, 3]);
      assert.ok((await restored(store, locked)).equals(content));
      assert.ok((await restored(store, kept)).equals(documents(200, 0, () => false)));
      const marks = (await Array.fromAsync(blobs.list("marks/"))).length;
      assert.equal(marks, 1, "what is locked waits on");
      assert.deepEqual((await store.verify()).damages, []);
    });
});
