import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { BSON, type Document, Timestamp } from "mongodb";
import fc from "fast-check";
import { buildDocument, type Engine, getField, openEngine, textOf, type Value } from "../../engine/index.ts";
import type { LoggedWrite } from "../../ports/deployment-host.ts";
import { createSystemClock } from "../clock-system.ts";
import { createRandomIds } from "../ids-random.ts";
import { applyLoggedWrite } from "./apply-logged-write.ts";

const write = { signal: new AbortController().signal, durable: false };
const read = { signal: write.signal };
const things = { database: "d", collection: "things" };
const filler = "w".repeat(200);
const log = { database: "local", collection: "oplog.rs" };
const namespace = { database: "d", name: "things" };
const everything = { maxDocuments: 100_000, maxBytes: Number.POSITIVE_INFINITY };

/** Changes of the one document of a collection, as users make them. */
const change: fc.Arbitrary<Document> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc
      .tuple(
        fc.constantFrom("a", "a", "a.x", "a.y", "b", "l", "l.0", "l.3", "l.1.z", "l.1.y"),
        fc.constantFrom(1, { x: 1, w: filler }, { y: { z: 2 }, w: filler }, [1, { z: 1, w: filler }, 3]),
      )
      .map(([path, value]) => ({ $set: { [path]: value } })),
  },
  { weight: 2, arbitrary: fc.constantFrom("a", "b", "l", "a.x", "l.1.z").map((path) => ({ $unset: { [path]: 1 } })) },
  { weight: 2, arbitrary: fc.constant({ $push: { l: { $each: [7, { z: 8 }], $slice: -4 } } }) },
  { weight: 1, arbitrary: fc.constantFrom({ $pop: { l: 1 } }, { $rename: { a: "c" } }) },
  { weight: 1, arbitrary: fc.constantFrom({ b: 1, filler, a: { y: 1, x: 2, w: filler } }, { delete: true }) },
);

describe("writes of an operation log done again", () => {
  let folder: string;
  const engines: Engine[] = [];
  const open = async (name: string): Promise<Engine> => {
    const clock = createSystemClock();
    const ids = createRandomIds(clock);
    const engine = await openEngine({
      path: join(folder, name),
      clock,
      randomBytes: (length) => ids.randomBytes(length),
    });
    engines.push(engine);
    return engine;
  };
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "telamon-again-"));
  });
  after(async () => {
    for (const engine of engines) await engine.close();
    await rm(folder, { recursive: true, force: true });
  });

  test("bring a document that was read at any time after the first of them to what it was after the last", async () => {
    const source = await open("source");
    const copy = await open("copy");
    await copy.createCollection(things, BSON.serialize({}), write);
    let round = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(change, { minLength: 1, maxLength: 12 }),
        fc.nat(),
        fc.nat(),
        async (changes, one, other) => {
          round += 1;
          const began = source.clusterTime();
          // Large enough that the log tells changes and not the whole document.
          await put(source, round, { filler: "x".repeat(500), a: { x: 1, w: filler }, l: [1, { z: 1, w: filler }] });
          const states = [await stateOf(source, round, began)];
          for (const each of changes) {
            await apply(source, round, each);
            states.push(await stateOf(source, round, began));
          }
          // Read when some of the writes were done; done again from any one that is not later.
          const seen = states[one % states.length] as State;
          const from = other % (seen.entryCount + 1);
          if (seen.document !== undefined) await copy.load(things, seen.document);
          for (const entry of (await entriesOf(source, began)).slice(from))
            await applyLoggedWrite(copy, loggedWrite(entry), write);
          assert.deepEqual(shown((await stateOf(copy, round)).document), shown(states.at(-1)?.document));
        },
      ),
      { numRuns: 300 },
    );
  });

  test("of servers before 5.0 are done path by path: what does not fit a later document is passed over, the rest is not", async () => {
    const engine = await open("before-5");
    await engine.createCollection(things, BSON.serialize({}), write);
    await engine.load(things, BSON.serialize({ _id: 1, a: 5, b: 1, c: { d: 1 } }));
    const o = BSON.serialize({ $v: 1, $set: { "a.x": 1, b: 2, "c.e": 3 }, $unset: { "c.d": true } });
    const id = BSON.serialize({ _id: 1 });
    await applyLoggedWrite(engine, { ...namespace, kind: "change", id, o }, write);
    assert.equal(shown((await stateOf(engine, 1)).document), '{"_id":1,"a":5,"b":2,"c":{"e":3}}');
    const unknown = { ...namespace, kind: "change", id, o: BSON.serialize({ $v: 1, $inc: { a: 1 } }) } as const;
    await assert.rejects(applyLoggedWrite(engine, unknown, write), /cannot have the modifier \$inc/);
  });

  test("whole documents are put as the bytes they are, and what is not there is neither changed nor deleted", async () => {
    const engine = await open("bytes");
    await engine.createCollection(things, BSON.serialize({}), write);
    const id = BSON.serialize({ _id: { a: 1 } });
    const o = Buffer.concat([BSON.serialize({ _id: { a: 1 }, "2": 1, "1": 2 })]);
    for (const kind of ["change", "delete"] as const)
      await applyLoggedWrite(
        engine,
        { ...namespace, kind, id, o: kind === "change" ? BSON.serialize({ $v: 2, diff: { u: { a: 1 } } }) : undefined },
        write,
      );
    for (let count = 0; count < 2; count += 1)
      await applyLoggedWrite(engine, { ...namespace, kind: "put", id, o }, write);
    const [only, ...others] = await documentsOf(engine, {});
    assert.deepEqual([Buffer.from(only ?? []), others.length], [o, 0]);
    await applyLoggedWrite(engine, { ...namespace, kind: "delete", id, o: undefined }, write);
    assert.equal((await documentsOf(engine, {})).length, 0);
  });
});

interface State {
  readonly document: Uint8Array | undefined;
  readonly entryCount: number;
}

async function stateOf(engine: Engine, _id: number, since = engine.clusterTime()): Promise<State> {
  const [document] = await documentsOf(engine, { _id });
  return { document, entryCount: (await entriesOf(engine, since)).length };
}

async function documentsOf(engine: Engine, filter: Document): Promise<readonly Uint8Array[]> {
  const cursor = await engine.find(things, { filter: BSON.serialize(filter) }, read);
  return cursor.next(everything, read.signal);
}

/** Entries about documents after a time. */
async function entriesOf(
  engine: Engine,
  { seconds, increment }: ReturnType<Engine["clusterTime"]>,
): Promise<readonly Uint8Array[]> {
  const ts = { $gt: new Timestamp({ t: seconds, i: increment }) };
  const filter = BSON.serialize({ ts, op: { $in: ["i", "u", "d"] } });
  const cursor = await engine.find(log, { filter }, read);
  return cursor.next(everything, read.signal);
}

async function put(engine: Engine, _id: number, document: Document): Promise<void> {
  await engine.insert(things, [BSON.serialize({ _id, ...document })], true, write);
}

async function apply(engine: Engine, _id: number, each: Document): Promise<void> {
  const filter = BSON.serialize({ _id });
  if (each["delete"] === true) {
    const found = await engine.delete(things, [{ filter, justOne: true }], true, write);
    // Deleted before: it comes back.
    if (JSON.stringify(found).includes(":0")) await put(engine, _id, { b: 3, l: [], filler });
    return;
  }
  const statement = { filter, update: BSON.serialize(each), multi: false, upsert: false, arrayFilters: [] };
  // What does not fit the document is refused, and is nothing that was written.
  await engine.update(things, [statement], true, write);
}

function loggedWrite(entry: Uint8Array): LoggedWrite {
  const op = textOf(getField(entry, "op") as Value);
  const o = (getField(entry, "o") as Value).bytes();
  if (op !== "u") {
    const id = idDocument(o);
    return op === "i" ? { ...namespace, kind: "put", id, o } : { ...namespace, kind: "delete", id, o: undefined };
  }
  const id = (getField(entry, "o2") as Value).bytes();
  return { ...namespace, kind: getField(o, "$v") === undefined ? "put" : "change", id, o };
}

function idDocument(document: Uint8Array): Uint8Array {
  return buildDocument([["_id", getField(document, "_id") as Value]]);
}

/** As text, so that the order of fields counts. */
function shown(document: Uint8Array | undefined): string {
  return document === undefined ? "nothing" : JSON.stringify(BSON.deserialize(document));
}
