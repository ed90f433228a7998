import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, describe, test } from "node:test";
import { serialize } from "bson";
import { EmbeddedEngine } from "../embedded-engine.ts";
import { DamagedFile, type Engine } from "../index.ts";
import { createSystemClock } from "../../adapters/clock-system.ts";

const folder = mkdtempSync(join(tmpdir(), "telamon-data-file-"));
after(() => rmSync(folder, { recursive: true }));
const write = { signal: new AbortController().signal, durable: true };
const namespace = { database: "shop", collection: "orders" };
const open = (path: string): Engine =>
  new EmbeddedEngine({ path, clock: createSystemClock(), randomBytes: (length) => new Uint8Array(length).fill(7) });

async function filled(name: string): Promise<string> {
  const path = join(folder, name);
  const engine = open(path);
  const documents = Array.from({ length: 2000 }, (_, n) => serialize({ _id: n, text: "x".repeat(300) }));
  await engine.insert(namespace, documents, true, write);
  await engine.close();
  return path;
}

async function readAll(engine: Engine): Promise<number> {
  let size = 0;
  for await (const piece of engine.scan(namespace, { signal: write.signal })) size += piece.length;
  return size;
}

describe("a data file", () => {
  test("comes to its name whole and for its owner alone; what a dying process left unfinished is made again", async () => {
    const path = join(folder, "new.sqlite");
    writeFileSync(`${path}.new`, "half a file");
    await open(path).close();
    assert.ok(!existsSync(`${path}.new`));
    assert.equal(statSync(path).mode & 0o777, 0o600);
    await open(path).close();
  });

  test("that is empty, has no tables or is somebody else's is refused by its name, and left as it is", () => {
    const [empty, marked, strange] = ["empty", "marked", "strange"].map((name) => join(folder, `${name}.sqlite`)) as [
      string,
      string,
      string,
    ];
    writeFileSync(empty, "");
    const marker = new DatabaseSync(marked);
    marker.exec(`PRAGMA application_id = ${0x54_4c_4d_4e}; PRAGMA user_version = 1`);
    marker.close();
    const other = new DatabaseSync(strange);
    other.exec("CREATE TABLE kept (a)");
    other.close();
    for (const path of [empty, marked, strange]) {
      const before = readFileSync(path);
      assert.throws(
        () => open(path),
        (error) => error instanceof DamagedFile && error.message.includes(path),
      );
      assert.deepEqual(readFileSync(path), before);
    }
  });

  test("that was cut short is noticed, at its opening or when what is gone is read, and never read as less", async () => {
    const whole = await filled("cut.sqlite");
    const size = statSync(whole).size;
    for (const kept of [0, 100, 4096, Math.floor(size / 2), size - 4096]) {
      const path = join(folder, `cut-${kept}.sqlite`);
      writeFileSync(path, readFileSync(whole));
      truncateSync(path, kept);
      const damaged = (error: unknown): boolean =>
        error instanceof Error && /damaged|empty|malformed/.test(error.message);
      await assert.rejects(async () => {
        const engine = open(path);
        try {
          await readAll(engine);
        } finally {
          await engine.close().catch(() => undefined);
        }
      }, damaged);
    }
  });
});
