import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { deserialize, type Document, serialize } from "bson";
import { EmbeddedEngine } from "../embedded-engine.ts";

const { signal } = new AbortController();
const write = { signal, durable: false };
const namespace = { database: "shop", collection: "orders" };
const kept = { changeStreamPreAndPostImages: { enabled: true } };

describe("documents kept as they were before changes", () => {
  const folder = mkdtempSync(join(tmpdir(), "telamon-pre-images-"));
  after(() => rmSync(folder, { recursive: true }));
  let files = 0;
  let nowMs = 1_700_000_000_000;
  const clock = { nowMs: () => nowMs, monotonicMs: () => performance.now() };
  const open = (path: string, oplogMaxBytes = 1_000_000): EmbeddedEngine =>
    new EmbeddedEngine({ path, clock, randomBytes, oplogMaxBytes });
  function freshPath(): string {
    files += 1;
    return join(folder, `${files}.sqlite`);
  }
  const update = (engine: EmbeddedEngine, change: Document): Promise<unknown> =>
    engine.update(
      namespace,
      [{ filter: serialize({}), update: serialize(change), multi: false, upsert: false, arrayFilters: [] }],
      true,
      write,
    );
  async function images(engine: EmbeddedEngine, stage: Document): Promise<Document[]> {
    const pipeline = [serialize({ $changeStream: { fullDocumentBeforeChange: "whenAvailable", ...stage } })];
    const stream = await engine.aggregate("shop", "orders", { pipeline }, { signal });
    const events = await stream.next({ maxDocuments: 10_000, maxBytes: Number.POSITIVE_INFINITY }, signal);
    return events.map((event) => deserialize(event)["fullDocumentBeforeChange"] as Document);
  }
  /** Bytes and number of the images in a file. */
  function held(path: string): { readonly count: number; readonly sizeBytes: number } {
    const file = new DatabaseSync(path, { readOnly: true });
    const row = file.prepare("SELECT count(*) AS count, total(length(d)) AS size FROM pre_image").get();
    file.close();
    return { count: Number(row?.["count"]), sizeBytes: Number(row?.["size"]) };
  }
  async function begun(
    path: string,
    oplogMaxBytes?: number,
    options: Document = kept,
  ): Promise<[EmbeddedEngine, Document]> {
    const engine = open(path, oplogMaxBytes);
    await engine.createCollection(namespace, serialize(options), write);
    await engine.insert(namespace, [serialize({ _id: 1, filler: "x".repeat(1000), n: 0 })], true, write);
    const stream = await engine.aggregate(
      "shop",
      "orders",
      { pipeline: [serialize({ $changeStream: {} })] },
      { signal },
    );
    await stream.next({ maxDocuments: 1, maxBytes: 1 }, signal);
    return [engine, deserialize(stream.resumeToken?.bytes() ?? new Uint8Array())];
  }

  test("are there after the file was closed and opened again", async () => {
    const path = freshPath();
    const [engine, token] = await begun(path);
    await update(engine, { $inc: { n: 1 } });
    await engine.close();
    const again = open(path);
    const [image] = await images(again, { resumeAfter: token });
    assert.equal(image?.["n"], 0);
    await again.close();
  });

  test("hold no more bytes than the log may, the oldest going first and the newest never", async () => {
    const path = freshPath();
    const maxBytes = 20_000;
    const [engine, token] = await begun(path, maxBytes);
    const imageBytes = serialize({ _id: 1, filler: "x".repeat(1000), n: 0 }).length;
    const fitting = Math.floor(maxBytes / imageBytes);
    for (let done = 1; done <= fitting + 5; done += 1) {
      await update(engine, { $inc: { n: 1 } });
      assert.equal(held(path).count, Math.min(done, fitting));
      assert.ok(held(path).sizeBytes <= maxBytes);
    }
    const found = await images(engine, { resumeAfter: token });
    assert.deepEqual(
      found.map((image) => (image as Document | null)?.["n"] as unknown),
      [...Array(5).fill(undefined), ...Array.from({ length: fitting }, (_, index) => index + 5)],
    );
    await update(engine, { $set: { filler: "y".repeat(2 * maxBytes) } });
    await update(engine, { $inc: { n: 1 } });
    assert.equal(held(path).count, 1);
    await engine.close();
  });

  test("go with the entries of the log that they belong to", async () => {
    const path = freshPath();
    const [engine] = await begun(path, 50_000);
    await update(engine, { $inc: { n: 1 } });
    assert.equal(held(path).count, 1);
    const other = { database: "shop", collection: "other" };
    for (let document = 0; document < 300; document += 1)
      await engine.insert(other, [serialize({ filler: "x".repeat(500) })], true, write);
    assert.equal(held(path).count, 0);
    await engine.close();
  });

  test("are not written where the collection does not say so, and not when a write is undone", async () => {
    const path = freshPath();
    const [engine] = await begun(path, undefined, {});
    await update(engine, { $inc: { n: 1 } });
    assert.equal(held(path).count, 0);
    await engine.modifyCollection(namespace, serialize(kept), write);
    await engine.modifyCollection(namespace, serialize({ validator: { n: { $lt: 3 } } }), write);
    await update(engine, { $inc: { n: 1 } });
    await update(engine, { $inc: { n: 1 } });
    assert.equal(held(path).count, 1);
    await engine.close();
  });

  test("a file of the version without images opens and keeps them from then on", async () => {
    const path = freshPath();
    const [before] = await begun(path);
    await before.close();
    const old = new DatabaseSync(path);
    old.exec("DROP TABLE pre_image; ALTER TABLE index_specification DROP COLUMN collator; PRAGMA user_version = 2");
    old.close();
    nowMs += 1000;
    const engine = open(path);
    await update(engine, { $inc: { n: 1 } });
    assert.equal(held(path).count, 1);
    await engine.close();
  });
});
