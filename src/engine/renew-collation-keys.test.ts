import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { serialize } from "bson";
import { EmbeddedEngine } from "./embedded-engine.ts";

const { signal } = new AbortController();
const write = { signal, durable: false };
const namespace = { database: "shop", collection: "users" };
const collation = { locale: "en", strength: 2 };

describe("keys of indexes with a collation", () => {
  const folder = mkdtempSync(join(tmpdir(), "telamon-collation-keys-"));
  after(() => rmSync(folder, { recursive: true }));
  const clock = { nowMs: () => Date.now(), monotonicMs: () => performance.now() };
  const open = (path: string): EmbeddedEngine => new EmbeddedEngine({ path, clock, randomBytes });
  const insert = async (engine: EmbeddedEngine, ...names: unknown[]): Promise<number> =>
    (
      await engine.insert(
        namespace,
        names.map((name) => serialize({ name })),
        false,
        write,
      )
    ).writeErrors.length;

  /** A file as another program left it. */
  async function left(name: string, change: string): Promise<string> {
    const path = join(folder, name);
    const engine = open(path);
    await insert(engine, "Ada", ["Bob", "x"], 5);
    const index = serialize({ key: { name: 1 }, name: "name_1", unique: true, collation });
    await engine.createIndexes(namespace, [index, serialize({ key: { n: 1 }, name: "n_1" })], write);
    await engine.close();
    const file = new DatabaseSync(path);
    file.exec(change);
    file.close();
    return path;
  }

  for (const [what, change] of Object.entries({
    "made by another ICU are made anew when the file is opened":
      "UPDATE index_specification SET collator = '1 0.1 0' WHERE name = 'name_1'; UPDATE x_1 SET k = CAST(x'3c4144410000' || k AS BLOB)",
    "are made in a file of the version that wrote the bytes of strings":
      "UPDATE x_1 SET k = CAST(x'3c7a' || k AS BLOB); ALTER TABLE index_specification DROP COLUMN collator; PRAGMA user_version = 3",
  }))
    test(what, async () => {
      const path = await left(`${what.length}.sqlite`, change);
      for (let opened = 0; opened < 2; opened += 1) {
        const engine = open(path);
        assert.equal((await engine.validate(namespace, { signal })).valid, true);
        assert.equal(await insert(engine, "ADA", "BOB", "X"), 3);
        const filter = { filter: serialize({ name: "bob" }), collation: serialize(collation) };
        assert.equal(await engine.count(namespace, filter, { signal }), 1);
        await engine.close();
      }
    });

  test("are left alone by the same ICU", async () => {
    const path = await left("same.sqlite", "UPDATE x_1 SET k = CAST(x'3c7a' || k AS BLOB)");
    const engine = open(path);
    assert.equal((await engine.validate(namespace, { signal })).valid, false);
    await engine.close();
  });
});
