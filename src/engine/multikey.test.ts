import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { serialize } from "bson";
import { EmbeddedEngine } from "./embedded-engine.ts";

describe("an index that gets its first array", () => {
  test("a later statement of the same write finds the array by two of its elements", async () => {
    const folder = mkdtempSync(join(tmpdir(), "telamon-multikey-"));
    const clock = { nowMs: () => Date.now(), monotonicMs: () => performance.now() };
    const engine = new EmbeddedEngine({ path: join(folder, "data.sqlite"), clock, randomBytes });
    const write = { signal: new AbortController().signal, durable: false };
    const namespace = { database: "test", collection: "c" };
    try {
      const documents = [serialize({ _id: 1, a: 6 }), serialize({ _id: 2, a: 3 })];
      await engine.insert(namespace, documents, true, write);
      await engine.createIndexes(namespace, [serialize({ key: { a: 1 }, name: "a_1" })], write);
      const statement = (filter: object, update: object): Parameters<typeof engine.update>[1][number] => ({
        filter: serialize(filter),
        update: serialize(update),
        multi: true,
        upsert: false,
        arrayFilters: [],
      });
      const { matchedCount } = await engine.update(
        namespace,
        [
          statement({ _id: 1 }, { $set: { a: [1, 10] } }),
          // 10 is above 5 and 1 is below 7, while no element is between them.
          statement({ a: { $gt: 5, $lt: 7 } }, { $set: { found: true } }),
        ],
        true,
        write,
      );
      assert.equal(matchedCount, 2);
    } finally {
      await engine.close();
      rmSync(folder, { recursive: true });
    }
  });
});
