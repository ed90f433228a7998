import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, test } from "node:test";
import { ListMultipartUploadsCommand } from "@aws-sdk/client-s3";
import { openBackupStore } from "../../src/backup-store/index.ts";
import { BlobError, type BlobStore } from "../../src/ports/blob-store.ts";
import { documents, restored, take } from "../store/garbage-world.ts";
import { type FaultingProxy, type FaultKind, faultKinds, startFaultingProxy } from "./faulting-proxy.ts";
import { missingServer, openS3Store, type S3Server, startS3Server } from "./versitygw.ts";
import { describeUnless } from "../support/describe-unless.ts";

const skip = (await missingServer()) ?? false;
const sizes = { wholeMaxBytes: 100_000, partBytes: 5 * 1_048_576 };
const limits = { ...sizes, attemptsMax: 3, attemptMs: 60_000, silenceMs: 30_000 };
/** Where the fault is that time passes: a request that is slow by itself is sent once more than it need be. */
const hasty = { ...sizes, attemptMs: 1000, silenceMs: 800 };
const slowKinds: ReadonlySet<FaultKind> = new Set(["says nothing", "brings the answer drop by drop"]);
const slowActions: ReadonlySet<string> = new Set(["put whole", "get", "range", "list"]);
const small = randomBytes(30_000);
const large = randomBytes(6 * 1_048_576);

/** What each does over a way that goes wrong, and what must hold when it says that it was done. `clean` has another way. */
const actions: Readonly<Record<string, (blobs: BlobStore, clean: BlobStore, key: string) => Promise<void>>> = {
  async "put whole"(blobs, clean, key) {
    await blobs.put(key, [small.subarray(0, 7), small.subarray(7)]);
    assert.ok(small.equals(await clean.get(key)));
  },
  async "put in parts"(blobs, clean, key) {
    await blobs.put(key, [large]);
    assert.ok(large.equals(await clean.get(key)));
  },
  async "put over another"(blobs, clean, key) {
    await clean.put(key, [small]);
    await assert.rejects(blobs.put(key, [Buffer.from("other")]), BlobError);
    assert.ok(small.equals(await clean.get(key)));
  },
  async get(blobs, clean, key) {
    await clean.put(key, [small]);
    assert.ok(small.equals(await blobs.get(key)));
  },
  async "get of what is not there"(blobs, _clean, key) {
    await assert.rejects(blobs.get(key), BlobError);
  },
  async range(blobs, clean, key) {
    await clean.put(key, [small]);
    assert.equal((await blobs.getRange(key, 100, 5000)).length, 5000);
  },
  async stat(blobs, clean, key) {
    await clean.put(key, [small]);
    assert.deepEqual(await blobs.stat(key), { key, sizeBytes: small.length });
  },
  async list(blobs, clean, key) {
    await clean.put(`${key}/1`, [small]);
    await clean.put(`${key}/2`, [small]);
    assert.equal((await Array.fromAsync(blobs.list(`${key}/`))).length, 2);
  },
  async delete(blobs, clean, key) {
    await clean.put(key, [small]);
    await blobs.delete(key);
    assert.equal(await clean.stat(key), undefined);
  },
};

/** Over plain HTTP nothing tells a listing, a range or a refusal that a bit of it was flipped; the backup store does (below), and TLS. */
const isBlind = (kind: FaultKind, action: string): boolean =>
  kind === "flips a bit of the answer" && ["list", "get of what is not there", "put over another"].includes(action);

describeUnless(skip, "the store in S3 over a way that goes wrong", () => {
  let server: S3Server;
  let proxy: FaultingProxy;
  let clean: BlobStore;
  let blobs: BlobStore;
  let count = 0;

  before(async () => {
    server = await startS3Server();
    await server.makeBucket("plain");
    proxy = await startFaultingProxy(server.endpoint);
    clean = await openS3Store(server, { limits: { wholeMaxBytes: 10 ** 9 } });
    blobs = await openS3Store(server, { endpoint: proxy.endpoint, limits });
  });
  after(async () => {
    await proxy?.stop();
    await server?.stop();
  });

  for (const kind of faultKinds)
    test(`which ${kind}: once, and all goes well in the end; always, and it fails as the port has it, never with wrong bytes`, async () => {
      const isSlow = slowKinds.has(kind);
      const { endpoint } = proxy;
      proxy.order(undefined);
      const patient = await openS3Store(server, { endpoint, limits: isSlow ? { ...hasty, attemptsMax: 6 } : limits });
      const short = await openS3Store(server, { endpoint, limits: isSlow ? { ...hasty, attemptsMax: 2 } : limits });
      for (const [action, run] of Object.entries(actions)) {
        if (isBlind(kind, action) || (isSlow && !slowActions.has(action))) continue;
        // Each of the requests once, the first ones at least.
        for (let hit = 0; hit < 5; hit += 1) {
          proxy.order(kind, (number) => number === hit);
          await assert.doesNotReject(run(patient, clean, `k/${(count += 1)}`), `${action}, request ${hit}`);
          if (proxy.seen() <= hit) break;
        }
        proxy.order(kind);
        await run(short, clean, `k/${(count += 1)}`).catch((error: unknown) => {
          assert.ok(error instanceof BlobError, `${action}: ${String(error)}`);
          assert.ok(["blob_store_failed", "blob_damaged"].includes(error.code), `${action}: ${error.message}`);
          assert.ok(!error.message.includes(server.credentials.secretAccessKey));
        });
        assert.ok(proxy.seen() <= 60, `${action} sent ${proxy.seen()} requests`);
        assert.ok(proxy.met() > 0, `${action} met nothing`);
      }
      proxy.order(undefined);
    });

  test("a put that the way keeps failing leaves no object and no unfinished upload behind, and can be done again", async () => {
    // The key is looked for, the upload is begun, both of its parts are refused three times each, and it can be given up.
    proxy.order("answers 503 SlowDown", (number) => number > 2 && number <= 8);
    await assert.rejects(blobs.put("left/behind", [large]), {
      code: "blob_store_failed",
      message: /3 times: SlowDown/,
    });
    proxy.order(undefined);
    assert.equal(await clean.stat("left/behind"), undefined);
    const command = new ListMultipartUploadsCommand({ Bucket: "plain", Prefix: "store/left/" });
    assert.deepEqual((await server.client.send(command)).Uploads ?? [], []);
    await blobs.put("left/behind", [large]);
    assert.ok(large.equals(await clean.get("left/behind")));
  });

  test("of a snapshot read over a way that flips bits in ranges, no document ever comes back wrong", async () => {
    const open = (over: BlobStore) => openBackupStore({ blobs: over, secret: Buffer.alloc(32, 5), randomBytes });
    const content = documents(3000, 1, () => true);
    const manifestKey = await take(await open(await openS3Store(server, { prefix: "snapshots/" })), "a", content);
    const blobs = await openS3Store(server, { prefix: "snapshots/", endpoint: proxy.endpoint, limits });
    let refused = 0;
    for (let hit = 0; hit < 12; hit += 1) {
      proxy.order("flips a bit of the answer", (number) => number === hit);
      try {
        assert.ok((await restored(await open(blobs), manifestKey)).equals(content));
      } catch (error) {
        assert.ok(!(error instanceof assert.AssertionError), "the documents are not what was stored");
        refused += 1;
      }
    }
    proxy.order(undefined);
    assert.ok(refused > 0, "no flipped bit was met: the test looks at nothing");
    assert.ok((await restored(await open(blobs), manifestKey)).equals(content));
  });

  test("many requests at once take no more connections than they may, and all are answered", async () => {
    const few = await openS3Store(server, {
      endpoint: proxy.endpoint,
      limits: { ...limits, connectionsMax: 2 },
    });
    await clean.put("many", [small]);
    const before = proxy.connectionsNow();
    proxy.order(undefined);
    const got = await Promise.all(Array.from({ length: 40 }, () => few.get("many")));
    assert.ok(got.every((bytes) => small.equals(bytes)));
    const more = proxy.connectionsMost() - before;
    assert.ok(more > 0 && more <= 2, `${more} connections`);
  });
});
