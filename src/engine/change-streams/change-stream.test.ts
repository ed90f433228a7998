import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { deserialize, type Document, serialize } from "bson";
import { EmbeddedEngine } from "../embedded-engine.ts";
import type { EngineCursor } from "../engine.ts";
import { EngineError } from "../engine-error.ts";

const { signal } = new AbortController();
const write = { signal, durable: false };
const everything = { maxDocuments: 10_000, maxBytes: Number.POSITIVE_INFINITY };

describe("a stream of changes", () => {
  const folder = mkdtempSync(join(tmpdir(), "telamon-change-streams-"));
  after(() => rmSync(folder, { recursive: true }));
  let files = 0;
  let nowMs = 1_700_000_000_000;
  const clock = { nowMs: () => nowMs, monotonicMs: () => performance.now() };
  const namespace = { database: "shop", collection: "orders" };
  const open = (path: string, oplogMaxBytes = 1_000_000): EmbeddedEngine =>
    new EmbeddedEngine({ path, clock, randomBytes, oplogMaxBytes });
  function freshPath(): string {
    files += 1;
    return join(folder, `${files}.sqlite`);
  }
  const insert = (engine: EmbeddedEngine, _id: number, filler = ""): Promise<unknown> =>
    engine.insert(namespace, [serialize({ _id, filler })], true, write);
  const watch = (engine: EmbeddedEngine, stage: Document = {}): Promise<EngineCursor> =>
    engine.aggregate("shop", "orders", { pipeline: [serialize({ $changeStream: stage })] }, { signal });
  const events = async (cursor: EngineCursor, limits = everything): Promise<Document[]> =>
    (await cursor.next(limits, signal)).map((event) => deserialize(event));
  const keys = (found: Document[]): unknown[] => found.map(({ documentKey }) => documentKey._id as unknown);
  const tokenOf = ({ resumeToken }: EngineCursor): Document => deserialize(resumeToken?.bytes() ?? new Uint8Array());

  test("goes on from a token after the file was closed and opened again", async () => {
    const path = freshPath();
    const first = open(path);
    const stream = await watch(first);
    await insert(first, 1);
    await insert(first, 2);
    const [seen] = await events(stream);
    await first.close();
    const second = open(path);
    await insert(second, 3);
    assert.deepEqual(keys(await events(await watch(second, { resumeAfter: seen?.["_id"] }))), [2, 3]);
    await second.close();
  });

  test("tells where to go on after each batch: behind its last event, or at the time that was looked up to", async () => {
    const engine = open(freshPath());
    const stream = await watch(engine);
    const beginning = tokenOf(stream);
    for (const id of [1, 2, 3]) await insert(engine, id);
    const batch = await events(stream, { ...everything, maxDocuments: 2 });
    assert.deepEqual(tokenOf(stream), batch[1]?.["_id"]);
    const rest = async (token: Document): Promise<unknown[]> =>
      keys(await events(await watch(engine, { resumeAfter: token })));
    assert.deepEqual(await rest(tokenOf(stream)), [3]);
    assert.deepEqual(await rest(beginning), [1, 2, 3]);
    assert.deepEqual(keys(await events(stream)), [3]);
    await engine.insert({ database: "shop", collection: "others" }, [serialize({ _id: 1 })], true, write);
    assert.deepEqual(await events(stream), []);
    const quiet = tokenOf(stream);
    assert.notDeepEqual(quiet, batch[1]?.["_id"]);
    await insert(engine, 4);
    assert.deepEqual(await rest(quiet), [4]);
    await engine.close();
  });

  test("begins at a time that is given, what was written at it included", async () => {
    const engine = open(freshPath());
    await insert(engine, 1);
    nowMs += 10_000;
    await insert(engine, 2);
    const { seconds, increment } = engine.clusterTime();
    await insert(engine, 3);
    const raw = Buffer.alloc(8);
    raw.writeUInt32LE(increment, 0);
    raw.writeUInt32LE(seconds, 4);
    const stage = serialize({ $changeStream: { startAtOperationTime: 0n } });
    // A timestamp of the same length in the place of the long: type 0x11.
    const at = Buffer.from(stage).indexOf("startAtOperationTime") - 1;
    stage[at] = 0x11;
    stage.set(raw, at + 1 + "startAtOperationTime".length + 1);
    const cursor = await engine.aggregate("shop", "orders", { pipeline: [stage] }, { signal });
    assert.deepEqual(keys(await events(cursor)), [2, 3]);
    await engine.close();
  });

  test("what has left the log is an error, for who resumes and for who was too slow, and never a gap", async () => {
    const engine = open(freshPath(), 20_000);
    const stream = await watch(engine);
    await insert(engine, 0);
    const [first] = await events(stream);
    await insert(engine, 1);
    const near = tokenOf(stream);
    assert.deepEqual(keys(await events(await watch(engine, { resumeAfter: near }))), [1]);
    for (let id = 2; id < 100; id += 1) await insert(engine, id, "x".repeat(1000));
    const lost = (error: unknown): boolean => error instanceof EngineError && error.code === 286;
    await assert.rejects(watch(engine, { resumeAfter: first?.["_id"] }), lost);
    await assert.rejects(stream.next(everything, signal), lost);
    assert.equal(stream.exhausted, true);
    await engine.close();
  });

  test("tokens are in the order of their events", async () => {
    const engine = open(freshPath());
    const stream = await watch(engine);
    for (let id = 0; id < 20; id += 1) {
      if (id % 5 === 0) nowMs += 1000;
      await insert(engine, id);
    }
    const tokens = (await events(stream)).map(({ _id }) => String(_id["_data"]));
    assert.equal(tokens.length, 20);
    assert.deepEqual(tokens, tokens.toSorted());
    await engine.close();
  });
});
