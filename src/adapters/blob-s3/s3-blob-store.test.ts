import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, describe, test } from "node:test";
import {
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectVersionsCommand,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import { describeBlobStore } from "../../../test/conformance/blob-store.ts";
import { missingServer, openS3Store, type S3Server, startS3Server } from "../../../test/s3/versitygw.ts";
import type { BlobError, BlobStore } from "../../ports/blob-store.ts";
import { createSystemClock } from "../clock-system.ts";
import { describeUnless } from "../../../test/support/describe-unless.ts";

const skip = (await missingServer()) ?? false;
const mebibyte = 1_048_576;
const dayMs = 86_400_000;

describeUnless(skip, "the blob store in a bucket of a real S3 server", () => {
  let server: S3Server;
  let count = 0;
  const freshPrefix = (): string => `store-${(count += 1)}/`;

  before(async () => {
    server = await startS3Server();
    await server.makeBucket("plain");
    await server.makeBucket("locked", { withObjectLock: true });
  });
  after(() => server.stop());

  describeBlobStore("objects sent whole", async () => ({
    blobs: await openS3Store(server, { prefix: freshPrefix() }),
    close: async () => undefined,
  }));
  describeBlobStore("objects sent in parts, where they have more than a byte", async () => ({
    blobs: await openS3Store(server, { prefix: freshPrefix(), limits: { wholeMaxBytes: 1 } }),
    close: async () => undefined,
  }));
  describeBlobStore("a bucket with versions and locks", async () => ({
    blobs: await openS3Store(server, { bucket: "locked", prefix: freshPrefix() }),
    close: async () => undefined,
  }));
  describeBlobStore("the whole bucket, without a prefix", async () => {
    const bucket = `whole-${(count += 1)}`;
    await server.makeBucket(bucket);
    return { blobs: await openS3Store(server, { bucket, prefix: "" }), close: async () => undefined };
  });

  const unfinished = async (prefix: string): Promise<number> =>
    (await server.client.send(new ListMultipartUploadsCommand({ Bucket: "plain", Prefix: prefix }))).Uploads?.length ??
    0;

  describe("objects in parts", () => {
    for (const [what, sizeBytes, parts] of [
      ["at the threshold is sent whole", 5 * mebibyte, undefined],
      ["above it in parts", 5 * mebibyte + 1, 2],
      ["of three parts, the last of which is short, too", 10 * mebibyte + 3, 3],
    ] as const)
      test(`an object ${what}, and comes back byte for byte`, async () => {
        const prefix = freshPrefix();
        const limits = { wholeMaxBytes: 5 * mebibyte, partBytes: 5 * mebibyte };
        const blobs = await openS3Store(server, { prefix, limits });
        const bytes = randomBytes(sizeBytes);
        await blobs.put("big", [bytes.subarray(0, 3), bytes.subarray(3, mebibyte), bytes.subarray(mebibyte)]);
        assert.ok(bytes.equals(await blobs.get("big")));
        assert.ok(
          bytes
            .subarray(5 * mebibyte - 7)
            .equals(await blobs.getRange("big", 5 * mebibyte - 7, bytes.length - 5 * mebibyte + 7)),
        );
        const { ETag } = await server.client.send(new HeadObjectCommand({ Bucket: "plain", Key: `${prefix}big` }));
        assert.equal(/-(\d+)"$/.exec(ETag ?? "")?.[1], parts?.toString());
        await blobs.put("big", [bytes]);
        await assert.rejects(blobs.put("big", [bytes.subarray(1)]), { code: "blob_exists" });
        assert.equal(await unfinished(prefix), 0);
      });

    test("what a dead process left unfinished is gone after opening once it is old, and never what is young, or another store's", async () => {
      const prefix = freshPrefix();
      for (const key of [`${prefix}packs/1`, `${prefix}packs/2`, `other-${prefix}packs/1`])
        await server.client.send(new CreateMultipartUploadCommand({ Bucket: "plain", Key: key }));
      await openS3Store(server, { prefix });
      assert.equal(await unfinished(prefix), 2);
      const clock = { ...createSystemClock(), nowMs: () => Date.now() + 2 * 3_600_000 };
      await openS3Store(server, { prefix, clock, forReading: true });
      assert.equal(await unfinished(prefix), 2, "nothing is removed by one who only reads");
      await openS3Store(server, { prefix, clock });
      assert.equal(await unfinished(prefix), 0);
      assert.equal(await unfinished(`other-${prefix}`), 1);
    });
  });

  test("a listing goes on over all of its pages, and holds nothing that is not the store's", async () => {
    const prefix = freshPrefix();
    const blobs = await openS3Store(server, { prefix, limits: { listedAtOnce: 3 } });
    const wanted: string[] = [];
    for (let number = 0; number < 10; number += 1) {
      wanted.push(`packs/${number}`);
      await blobs.put(`packs/${number}`, [Uint8Array.of(number)]);
    }
    await server.client.send(new PutObjectCommand({ Bucket: "plain", Key: `${prefix}packs/READ ME`, Body: "foreign" }));
    const found = (await Array.fromAsync(blobs.list(""))).map(({ key }) => key);
    assert.deepEqual(found.toSorted(), wanted);
  });

  test("one who only reads writes nothing", async () => {
    const prefix = freshPrefix();
    const blobs = await openS3Store(server, { prefix, forReading: true });
    await assert.rejects(blobs.put("a", [Uint8Array.of(1)]), { code: "blob_store_failed" });
    await assert.rejects(blobs.delete("a"), { code: "blob_store_failed" });
    const { Versions } = await server.client.send(new ListObjectVersionsCommand({ Bucket: "plain", Prefix: prefix }));
    assert.deepEqual(Versions ?? [], []);
  });

  test("an object that another tool put, without our checksum, is read all the same", async () => {
    const prefix = freshPrefix();
    await server.client.send(new PutObjectCommand({ Bucket: "plain", Key: `${prefix}moved`, Body: "bytes" }));
    const blobs = await openS3Store(server, { prefix });
    assert.equal(Buffer.from(await blobs.get("moved")).toString(), "bytes");
  });

  test("bytes that are not those that were put are refused as damaged, and a range still shows what is there", async () => {
    const prefix = freshPrefix();
    const blobs = await openS3Store(server, { prefix });
    await blobs.put("a", [Buffer.from("good")]);
    const { Metadata } = await server.client.send(new HeadObjectCommand({ Bucket: "plain", Key: `${prefix}a` }));
    await server.client.send(
      new PutObjectCommand({ Bucket: "plain", Key: `${prefix}a`, Body: "evil", ...(Metadata && { Metadata }) }),
    );
    await assert.rejects(blobs.get("a"), { code: "blob_damaged", message: /SHA-256/ });
    assert.equal(Buffer.from(await blobs.getRange("a", 0, 4)).toString(), "evil");
  });

  describe("object lock", () => {
    const lock = { mode: "GOVERNANCE", days: 3, applies: (key: string) => !key.startsWith("marks/") } as const;

    test("what is locked cannot be deleted and says until when; what is meant to go can be", async () => {
      const prefix = freshPrefix();
      const blobs = await openS3Store(server, {
        bucket: "locked",
        prefix,
        objectLock: lock,
        limits: { wholeMaxBytes: 10 },
      });
      for (const key of ["packs/1", "marks/1"]) await blobs.put(key, [Uint8Array.of(1)]);
      await blobs.put("packs/in-parts", [new Uint8Array(11)]);
      for (const key of ["packs/1", "packs/in-parts"]) {
        const { ObjectLockMode, ObjectLockRetainUntilDate } = await server.client.send(
          new HeadObjectCommand({ Bucket: "locked", Key: prefix + key }),
        );
        assert.equal(ObjectLockMode, "GOVERNANCE");
        const days = ((ObjectLockRetainUntilDate?.getTime() ?? 0) - Date.now()) / dayMs;
        assert.ok(days > 2.9 && days <= 3, `${days} days`);
        await assert.rejects(blobs.delete(key), { code: "blob_locked", message: /locked until 20\d\d-/ });
        assert.ok(await blobs.stat(key));
      }
      await blobs.delete("marks/1");
      assert.equal(await blobs.stat("marks/1"), undefined);
    });

    test("a bucket that was not made with it is refused at the start", async () => {
      await assert.rejects(openS3Store(server, { objectLock: lock }), {
        code: "blob_store_failed",
        message: /object lock is asked for, and the bucket plain was not made with it/,
      });
    });
  });

  test("in a bucket with versions a deletion leaves no version behind", async () => {
    const prefix = freshPrefix();
    const blobs = await openS3Store(server, { bucket: "locked", prefix });
    await blobs.put("a", [Uint8Array.of(1)]);
    await server.client.send(new PutObjectCommand({ Bucket: "locked", Key: `${prefix}a`, Body: "again" }));
    await blobs.delete("a");
    const left = await server.client.send(new ListObjectVersionsCommand({ Bucket: "locked", Prefix: `${prefix}a` }));
    assert.deepEqual([left.Versions ?? [], left.DeleteMarkers ?? []], [[], []]);
  });

  describe("what is set up wrongly is told at the start, in words", () => {
    const secretAccessKey = "not-the-secret-that-opens";
    for (const [what, options, message] of [
      ["a bucket that is not there", { bucket: "nowhere" }, /s3:\/\/nowhere\/store\/ at http.*there is no such bucket/],
      [
        "an unknown access key",
        { credentials: { accessKeyId: "UNKNOWN", secretAccessKey } },
        /does not know the access key/,
      ],
      [
        "a wrong secret",
        { credentials: { accessKeyId: "TELAMONTEST", secretAccessKey } },
        /the secret access key is wrong/,
      ],
      [
        "an endpoint where nobody listens",
        { endpoint: "http://127.0.0.1:1" },
        /3 times: nobody listens at the endpoint/,
      ],
    ] as const)
      test(what, async () => {
        await assert.rejects(openS3Store(server, options), (error: BlobError) => {
          assert.equal(error.code, "blob_store_failed");
          assert.match(error.message, message);
          assert.ok(!JSON.stringify(error, Object.getOwnPropertyNames(error)).includes(secretAccessKey));
          assert.equal(error.cause, undefined, "an error of the SDK may show what was sent");
          return true;
        });
      });

    test("and a missing bucket never looks like a missing object to one who reads", async () => {
      const blobs: BlobStore = await openS3Store(server, { bucket: "nowhere", forReading: true });
      await assert.rejects(blobs.get("a"), { code: "blob_store_failed" });
      await assert.rejects(blobs.getRange("a", 0, 1), { code: "blob_store_failed" });
      await assert.rejects(blobs.stat("a"), { code: "blob_store_failed" });
      await assert.rejects(Array.fromAsync(blobs.list("")), { code: "blob_store_failed" });
    });
  });
});
