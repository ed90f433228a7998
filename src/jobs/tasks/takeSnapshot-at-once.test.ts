import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe as suite, test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { serialize } from "bson";
import { createJobsWorld, describe, sourcesOf } from "../../../test/support/jobs-world.ts";
import { createMemoryBlobStore } from "../../adapters/blob-memory/memory-blob-store.ts";
import { openBackupStore } from "../../backup-store/index.ts";
import { createSnapshotTransitions } from "../../domain/backups/snapshot-transitions.ts";
import type { SnapshotSource } from "../../ports/snapshot-source.ts";
import { takeSnapshot } from "./takeSnapshot.ts";

const never = new AbortController().signal;
const names = ["a", "b", "c", "d", "e", "f"];
const mebibyte = 1_048_576;

/** A source whose collections are made as they are read, and what was read of each so far. */
function makingSource(pieceOf: (name: string, number: number) => Uint8Array | undefined): {
  readonly source: SnapshotSource;
  readonly readBytes: Map<string, number>;
  /** Collections being read at once, at most. */
  readonly most: () => number;
} {
  const readBytes = new Map<string, number>();
  let reading = 0;
  let most = 0;
  const source: SnapshotSource = {
    open: async () => ({
      facts: { consistency: "exact", serverVersion: "7.0.0", capturedAtMs: 1 },
      collections: names.map((name) => describe(name)),
      async *documents(_database, name) {
        reading += 1;
        most = Math.max(most, reading);
        for (let number = 0; ; number += 1) {
          const piece = pieceOf(name, number);
          await nextTurn();
          if (piece === undefined) break;
          readBytes.set(name, (readBytes.get(name) ?? 0) + piece.length);
          yield piece;
        }
        reading -= 1;
      },
      changesSince: async () => ({ unknown: "this source has no log" }),
      changedDocuments: () => {
        throw new Error("this source has no log");
      },
      confirmCatalogue: async () => undefined,
      close: async () => undefined,
    }),
  };
  return { source, readBytes, most: () => most };
}

async function prepared(source: SnapshotSource, putPack: () => Promise<void> = async () => undefined) {
  const world = await createJobsWorld();
  await world.instance("Instance0");
  const blobs = createMemoryBlobStore();
  const repository = await openBackupStore({
    blobs: {
      ...blobs,
      async put(key, parts) {
        if (key.startsWith("packs/")) await putPack();
        return blobs.put(key, parts);
      },
    },
    secret: new Uint8Array(32),
    randomBytes,
  });
  const { id } = await world.services.snapshots.take(world.projectId, "Instance0", {
    description: "x",
    retentionInDays: 1,
  });
  const transitions = createSnapshotTransitions(world);
  const task = takeSnapshot({ ...world, repository, sources: sourcesOf(source), transitions });
  const job = await world.lease("takeSnapshot");
  return {
    repository,
    run: () => task.run(job, never),
    snapshot: () => world.services.snapshots.get(world.projectId, "Instance0", id),
  };
}

suite("collections that are copied at once", () => {
  test("are four, and each is restored as it was read", async () => {
    const pieceOf = (name: string, number: number): Uint8Array | undefined =>
      number < 30 ? serialize({ _id: number, name, text: name.repeat(5000) }) : undefined;
    const { source, most } = makingSource(pieceOf);
    const { repository, run, snapshot } = await prepared(source);
    await run();
    assert.equal(most(), 4);
    const reader = await repository.open((await snapshot()).manifestKey ?? "");
    assert.deepEqual(
      reader.collections.map(({ name }) => name),
      names,
    );
    for (const name of names) {
      const expected = Array.from({ length: 30 }, (_, number) => pieceOf(name, number) as Uint8Array);
      const found = await Array.fromAsync(reader.documents("shop", name));
      assert.ok(Buffer.concat(found).equals(Buffer.concat(expected)), name);
    }
  });

  test("are read no further while the store takes nothing, and to their ends when it goes on", async () => {
    const gate = Promise.withResolvers<void>();
    // Documents that do not compress: of each collection 40 MiB.
    const { source, readBytes } = makingSource((_name, number) =>
      number < 40 ? serialize({ _id: number, noise: randomBytes(mebibyte) }) : undefined,
    );
    const waiting: Promise<void>[] = [];
    const { run, snapshot } = await prepared(source, () => {
      waiting.push(gate.promise);
      return gate.promise;
    });
    const readSoFar = (): number => [...readBytes.values()].reduce((sum, bytes) => sum + bytes, 0);
    const running = run();
    let before = -1;
    for (let still = 0; still < 2000 || waiting.length < 2; still += 1) {
      if (readSoFar() !== before) still = 0;
      before = readSoFar();
      await nextTurn();
    }
    assert.ok(before < 120 * mebibyte, `${before / mebibyte} MiB were read`);
    gate.resolve();
    await running;
    assert.equal((await snapshot()).status, "completed");
    assert.ok(readSoFar() > 240 * mebibyte);
  });

  test("end all when one fails, and the snapshot is tried again", async () => {
    const { source, readBytes } = makingSource((name, number) => {
      if (name === "b" && number === 3) throw new Error("the wire was cut");
      return serialize({ _id: number, text: "telamon" });
    });
    const { run, snapshot } = await prepared(source);
    await assert.rejects(run(), /the wire was cut/);
    assert.equal((await snapshot()).status, "inProgress");
    assert.equal(readBytes.has("e"), false);
  });
});
