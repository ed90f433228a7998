import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, test } from "node:test";
import { createSystemClock } from "../../src/adapters/clock-system.ts";
import { openBackupStore } from "../../src/backup-store/index.ts";
import { describeBlobLock } from "../conformance/blob-lock.ts";
import { documents, idOf, restored, take } from "../store/garbage-world.ts";
import { missingServer, openS3Store, type S3Server, startS3Server } from "./versitygw.ts";
import { describeUnless } from "../support/describe-unless.ts";

const skip = (await missingServer()) ?? false;
const hourMs = 3_600_000;
const never = new AbortController().signal;
const clock = createSystemClock();

describeUnless(skip, "locks in a bucket of a real S3 server", () => {
  let server: S3Server;
  let count = 0;
  before(async () => {
    server = await startS3Server();
    await server.makeBucket("locked", { withObjectLock: true });
  });
  after(() => server.stop());
  const options = (mode: "GOVERNANCE" | "COMPLIANCE") => ({
    bucket: "locked",
    prefix: `locks-${(count += 1)}/`,
    objectLock: { mode, days: 1, applies: (key: string) => !key.startsWith("marks/") },
  });

  for (const mode of ["GOVERNANCE", "COMPLIANCE"] as const) {
    describeBlobLock(`${mode} in a bucket of a real S3 server`, async () => ({
      blobs: await openS3Store(server, options(mode)),
      nowMs: () => clock.nowMs(),
      close: async () => undefined,
    }));

    test(`${mode}: packs of yesterday that today's snapshot shares are locked for a day from today`, async () => {
      const place = options(mode);
      const open = async (agoMs: number) => {
        const past = { ...clock, nowMs: () => clock.nowMs() - agoMs };
        const blobs = await openS3Store(server, { ...place, clock: past });
        return { blobs, store: await openBackupStore({ blobs, secret: Buffer.alloc(32, 5), randomBytes }) };
      };
      const yesterday = await open(20 * hourMs);
      const first = await take(
        yesterday.store,
        "a",
        documents(200, 0, () => false),
      );
      const { store, blobs } = await open(0);
      const content = documents(200, 1, (at) => at < 20);
      const second = await take(store, "b", content, first);
      const [pack] = await Array.fromAsync(blobs.list(`packs/${idOf("a")}`));
      const hoursLeft = async () =>
        (((await blobs.lock?.lockedUntilMs(pack?.key ?? "")) ?? 0) - clock.nowMs()) / hourMs;
      assert.ok((await hoursLeft()) < 4.1);
      const kept = { manifestKey: second, keptUntilMs: Number.POSITIVE_INFINITY };
      assert.equal(await store.locks?.renew(kept, clock.nowMs(), never), 1);
      assert.ok((await hoursLeft()) > 23.9);
      await assert.rejects(blobs.delete(pack?.key ?? ""), { code: "blob_locked" });
      assert.ok((await restored(store, second)).equals(content));
      assert.equal(await yesterday.store.locks?.renewKeys(clock.nowMs(), never), 3);
    });
  }
});
