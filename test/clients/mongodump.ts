// mongodump and mongorestore as they are: an archive and back, and a dump with the operation log while somebody writes. Prints `ok <name>` or `FAIL <name>`.
// TELAMON_CREDENTIALS: path of the demo's credentials.json. MONGODUMP, MONGORESTORE: the binaries.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { type Document, MongoClient } from "mongodb";
import type { Credentials } from "../support/telamon-process.ts";

const credentials = JSON.parse(readFileSync(process.env.TELAMON_CREDENTIALS ?? "", "utf8")) as Credentials;
const uri = credentials.demo?.connectionString ?? "";
const { MONGODUMP: dump = "mongodump", MONGORESTORE: restore = "mongorestore" } = process.env;
const folder = mkdtempSync(join(tmpdir(), "telamon-mongodump-"));
const client = new MongoClient(uri);
let failed = false;
try {
  await archive();
  await withOperationLog();
} finally {
  await client.close();
  rmSync(folder, { recursive: true, force: true });
}
process.exit(failed ? 1 : 0);

async function archive(): Promise<void> {
  const path = join(folder, "archive.gz");
  const before = await everything("sample_shop");
  await run(dump, `--archive=${path}`, "--gzip", "--db", "sample_shop");
  await client.db("sample_shop").dropDatabase();
  await run(restore, `--archive=${path}`, "--gzip");
  expect(
    "an archive brings back every document and index, byte for byte",
    (await everything("sample_shop")) === before,
  );
}

/** Somebody inserts, changes and deletes all the time, in one order: what is restored must be the state at one moment of it. */
async function withOperationLog(): Promise<void> {
  const path = join(folder, "dump");
  const steps = client.db("steps").collection<{ _id: number; step: number }>("steps");
  await steps.insertMany(Array.from({ length: 5000 }, (_, n) => ({ _id: n, step: 0, text: "x".repeat(500) })));
  let step = 0;
  const dumped = new AbortController();
  const writing = (async () => {
    for (; !dumped.signal.aborted; await nextTurn()) {
      step += 1;
      await steps.updateOne({ _id: step % 5000 }, { $set: { step } });
      await steps.insertOne({ _id: 100_000 + step, step });
      await steps.deleteOne({ _id: 99_900 + step });
    }
  })();
  await run(dump, "--oplog", "--out", path);
  dumped.abort();
  await writing;
  await run(restore, "--oplogReplay", "--drop", path);
  const restored = await steps.find({}, { projection: { step: 1 } }).toArray();
  const last = Math.max(...restored.map((document) => document.step));
  const found = new Map(restored.map((document) => [document._id, document.step]));
  const states = [0, 1, 2].map((writes) => stateAfter(last, writes));
  expect("documents were written while the dump was made", last > 0 && last <= step);
  expect(
    "a dump with the operation log is one moment of what was written meanwhile",
    states.some((state) => state.size === found.size && [...state].every(([id, value]) => found.get(id) === value)),
  );
}

/** What there is when the first `writes + 1` of the three writes of step `last` are done, as numbers by `_id`. */
function stateAfter(last: number, writes: number): ReadonlyMap<number, number> {
  const state = new Map(Array.from({ length: 5000 }, (_, n) => [n, 0]));
  for (let step = 1; step <= last; step += 1) {
    const done = step < last ? 2 : writes;
    state.set(step % 5000, step);
    if (done > 0) state.set(100_000 + step, step);
    if (done > 1) state.delete(99_900 + step);
  }
  return state;
}

/** Documents and indexes of a database as text, to the byte. */
async function everything(database: string): Promise<string> {
  const parts: string[] = [];
  for (const { name } of await client.db(database).listCollections().toArray()) {
    const collection = client.db(database).collection(name);
    const documents = await collection.find({}, { sort: { _id: 1 }, raw: true }).toArray();
    const indexes = (await collection.indexes()).toSorted((one: Document, other: Document) =>
      String(one["name"]) < String(other["name"]) ? -1 : 1,
    );
    parts.push(name, JSON.stringify(indexes), ...documents.map((bytes) => Buffer.from(bytes as never).toString("hex")));
  }
  return parts.toSorted().join("\n");
}

async function run(command: string, ...args: readonly string[]): Promise<void> {
  const child = spawn(command, [`--uri=${uri}`, ...args], { stdio: ["ignore", "ignore", "pipe"] });
  let complaints = "";
  child.stderr.on("data", (piece: Buffer) => (complaints += piece.toString()));
  const [code] = (await once(child, "close")) as [number | null];
  if (code !== 0) throw new Error(`${command} ended with ${code}: ${complaints.replaceAll(uri, "...")}`);
}

function expect(name: string, holds: boolean): void {
  failed ||= !holds;
  console.log(`${holds ? "ok" : "FAIL"} ${name}`);
}
