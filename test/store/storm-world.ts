import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { Int32, serialize } from "bson";
import { createMemoryBlobStore } from "../../src/adapters/blob-memory/memory-blob-store.ts";
import { createSqliteMetadata } from "../../src/adapters/metadata-sql/sqlite-metadata.ts";
import type { BlobStore } from "../../src/ports/blob-store.ts";
import { type BackupStore, openBackupStore } from "../../src/backup-store/index.ts";
import { createSnapshotExpiry } from "../../src/domain/backups/expiry.ts";
import { createSnapshotTransitions } from "../../src/domain/backups/snapshot-transitions.ts";
import { garbageRequest } from "../../src/jobs/garbage-request.ts";
import { recoverMetadata } from "../../src/jobs/recover-metadata.ts";
import { takeSnapshot } from "../../src/jobs/tasks/takeSnapshot.ts";
import type { SnapshotRecord } from "../../src/ports/metadata/snapshot-records.ts";
import type { SnapshotSource } from "../../src/ports/snapshot-source.ts";
import { everything } from "../support/domain-world.ts";
import { createJobsWorld, describe, type JobsWorld, sourcesOf } from "../support/jobs-world.ts";
import { createFaultingBlobStore, Died, type Fault, faultKinds } from "./faulting-blob-store.ts";

const secret = Buffer.alloc(32, 3);
const collectionNames = ["orders", "people"] as const;
const instanceNames = ["Instance0", "Instance1"] as const;
const dayMs = 86_400_000;
const never = new AbortController().signal;

type Documents = Map<number, Uint8Array>;
type Contents = ReadonlyMap<string, Buffer>;

export interface Counts {
  [what: string]: number;
}

/** Metadata, store and a model of what every snapshot must hold; each action may meet a fault. */
export class StormWorld {
  readonly counts: Counts = {};
  readonly #random: () => number;
  readonly #place: BlobStore;
  readonly #world: JobsWorld;
  /** By deployment, what it holds now. */
  readonly #data = new Map<string, Map<string, Documents>>();
  /** By deployment, what was changed, one entry for each: its operation log. */
  readonly #logs = new Map<string, { readonly collection: string; readonly id: number }[]>();
  /** By snapshot, what it read; the last attempt counts. */
  readonly #captured = new Map<string, Contents>();

  private constructor(world: JobsWorld, random: () => number, place: BlobStore) {
    this.#world = world;
    this.#place = place;
    this.#random = random;
  }

  /** `place` is where the store lies. */
  static async create(random: () => number, place: BlobStore = createMemoryBlobStore()): Promise<StormWorld> {
    const world = await createJobsWorld();
    const storm = new StormWorld(world, random, place);
    for (const name of instanceNames) {
      const id = await world.instance(name);
      storm.#data.set(id, new Map(collectionNames.map((collection) => [collection, new Map()])));
      await storm.change();
    }
    return storm;
  }

  #pick<Item>(items: readonly Item[]): Item {
    return items[Math.floor(this.#random() * items.length)] as Item;
  }

  #count(what: string): void {
    this.counts[what] = (this.counts[what] ?? 0) + 1;
  }

  /** A process that uses the store, most often with a fault before it. */
  async #withProcess<Result>(work: (store: BackupStore) => Promise<Result>): Promise<Result | undefined> {
    const fault: Fault | undefined =
      this.#random() < 0.6 ? { kind: this.#pick(faultKinds), at: Math.floor(this.#random() ** 2 * 60) } : undefined;
    const faulting = createFaultingBlobStore(this.#place, fault, this.#random);
    try {
      return await work(await openBackupStore({ blobs: faulting.blobs, secret, randomBytes }));
    } catch (error) {
      if (fault === undefined || !faulting.met()) throw error;
      this.#count(error instanceof Died || faulting.dead() ? "deaths" : "failures");
      return undefined;
    } finally {
      if (fault !== undefined && faulting.met()) this.#count(fault.kind);
    }
  }

  #store(): Promise<BackupStore> {
    return openBackupStore({ blobs: this.#place, secret, randomBytes });
  }

  async change(): Promise<void> {
    const deploymentId = this.#pick([...this.#data.keys()]);
    const collection = this.#pick(collectionNames);
    const documents = this.#data.get(deploymentId)?.get(collection) as Documents;
    const log = this.#logs.get(deploymentId) ?? [];
    this.#logs.set(deploymentId, log);
    const count = Math.ceil(this.#random() ** 3 * 300);
    const first = Math.floor(this.#random() * 600);
    const isSpread = this.#random() < 0.5;
    for (let index = 0; index < count; index += 1) {
      const id = isSpread ? Math.floor(this.#random() * 800) : first + index;
      log.push({ collection, id });
      if (this.#random() < 0.15) documents.delete(id);
      else documents.set(id, serialize({ _id: id, text: "telamon ".repeat(this.#random() * 30), n: this.#random() }));
    }
  }

  /** What a deployment holds, as a source reads it. */
  #contentsOf(deploymentId: string): Contents {
    const collections = [...(this.#data.get(deploymentId) ?? new Map<string, Documents>())];
    return new Map(
      collections.map(([name, documents]) => [
        name,
        Buffer.concat([...documents].toSorted(([one], [other]) => one - other).map(([, bytes]) => bytes)),
      ]),
    );
  }

  #source(snapshotId: string, deploymentId: string): SnapshotSource {
    return {
      open: async () => {
        const contents = this.#contentsOf(deploymentId);
        const log = this.#logs.get(deploymentId)?.slice() ?? [];
        const logPosition = { seconds: 0, increment: log.length, entryHash: Buffer.alloc(32) };
        const { clock } = this.#world;
        this.#captured.set(snapshotId, contents);
        return {
          facts: { consistency: "exact", logPosition, serverVersion: "7.0.0", capturedAtMs: clock.nowMs() },
          collections: [...contents.keys()].map((name) => describe(name)),
          async *documents(_database, name) {
            yield contents.get(name) ?? Buffer.alloc(0);
          },
          changesSince: async ({ increment }) =>
            this.#random() < 0.2
              ? { unknown: "the log was cut off" }
              : { of: ({ name }) => ({ ids: changedIds(log.slice(increment), name) }) },
          changedDocuments: (_database, name, ids) => {
            const present = documentsOf(contents.get(name) ?? Buffer.alloc(0));
            const found = ids.map((id) => present.get(Buffer.from(id).readInt32LE(5)));
            return { ids, documents: inOnePiece(found.filter((document) => document !== undefined)) };
          },
          confirmCatalogue: async () => undefined,
          close: async () => undefined,
        };
      },
    };
  }

  /** Takes a snapshot to its end: completed, or failed for good after some attempts, each in a process of its own. */
  async snapshot(): Promise<void> {
    const { metadata, services, projectId } = this.#world;
    const retentionInDays = 1 + Math.floor(this.#random() * 4);
    const { id, deploymentId } = await services.snapshots.take(projectId, this.#pick(instanceNames), {
      retentionInDays,
    });
    const transitions = createSnapshotTransitions(this.#world);
    for (let attempt = 0; attempt < 3; attempt += 1) {
      const job = await this.#world.lease("takeSnapshot");
      await this.#withProcess((repository) =>
        takeSnapshot({
          ...this.#world,
          incrementCheckEvery: this.#pick(["never", 1, 3]),
          repository,
          sources: sourcesOf(this.#source(id, deploymentId)),
          transitions,
        }).run(job, never),
      );
      if (!(await metadata.jobs.unfinishedFor(id))) break;
      if (attempt === 2) await transitions.fail(job, "given up");
      else await metadata.jobs.releaseAll();
    }
    const snapshot = await metadata.snapshots.find(deploymentId, id);
    this.#count(`snapshot ${snapshot?.status ?? "gone"}`);
    if (snapshot?.status !== "completed") return;
    const { facts } = await (await this.#store()).open(snapshot.manifestKey ?? "");
    assert.notEqual(facts.incrementCheck, "different", "the log and the source agree");
    if (facts.incrementCheck !== undefined) this.#count("checks of increments");
    if (facts.incrementsInARow !== undefined) this.#count("increments");
  }

  async collect(): Promise<void> {
    const { metadata, clock } = this.#world;
    const graceMs = this.#random() < 0.1 ? 0 : dayMs / 4;
    const report = await this.#withProcess((store) =>
      store.collectGarbage({ ...garbageRequest({ metadata, clock }), graceMs, repacksMax: 2 }),
    );
    if (report === undefined) return;
    assert.deepEqual(report.unknownSnapshotIds, [], "the metadata was never lost");
    if (report.deletedObjectCount > 0) this.#count("collections");
    if (report.repackedPackCount > 0) this.#count("repacks");
  }

  /** One process takes a snapshot while another collects garbage. */
  async both(): Promise<void> {
    await Promise.all([this.snapshot(), this.collect(), this.expire()]);
  }

  async expire(): Promise<void> {
    const { clock } = this.#world;
    clock.advance(this.#random() ** 2 * 3 * dayMs);
    if ((await createSnapshotExpiry(this.#world).removeExpired(10)) > 0) this.#count("expiries");
  }

  /** Somebody sets the clock, at most a week either way. */
  jump(): void {
    const { clock } = this.#world;
    clock.setNowMs(clock.nowMs() + (this.#random() * 2 - 1) * 7 * dayMs);
    this.#count("clock jumps");
  }

  async #completed(): Promise<readonly SnapshotRecord[]> {
    const found: SnapshotRecord[] = [];
    for (const id of this.#data.keys())
      found.push(
        ...(await this.#world.metadata.snapshots.page(id, everything)).items.filter(
          ({ status }) => status === "completed",
        ),
      );
    return found;
  }

  async delete(): Promise<void> {
    const completed = await this.#completed();
    if (completed.length < 4) return;
    await this.#world.metadata.snapshots.delete(this.#pick(completed).id);
    this.#count("deletions");
  }

  async restoreOne(): Promise<void> {
    const completed = await this.#completed();
    if (completed.length > 0) await this.#requireRestorable(await this.#store(), this.#pick(completed));
  }

  /** Every completed snapshot restores byte for byte, the store is whole, and lost metadata can be rebuilt. */
  async requireAll(): Promise<void> {
    const store = await this.#store();
    const completed = await this.#completed();
    for (const snapshot of completed) await this.#requireRestorable(store, snapshot);
    const manifestKeys = await this.#world.metadata.snapshots.liveManifestKeys();
    const hurt = (await store.verify({ manifestKeys })).damages.filter(
      ({ ranges, lostSnapshotIds }) => ranges.length + lostSnapshotIds.length > 0,
    );
    assert.deepEqual(hurt, []);
    const metadata = await createSqliteMetadata({ path: ":memory:" });
    const recovered = await recoverMetadata({
      metadata,
      repository: store,
      generationOf: async () => 1,
      nextSnapshotAtMs: 0,
    });
    for (const { id, deploymentId, manifestKey } of completed) {
      assert.ok(recovered.snapshotIds.includes(id), `${id} is not recovered`);
      assert.equal((await metadata.snapshots.find(deploymentId, id))?.manifestKey, manifestKey);
    }
    await metadata.close();
    this.#count("full checks");
  }

  async #requireRestorable(store: BackupStore, { id, manifestKey }: SnapshotRecord): Promise<void> {
    const expected = this.#captured.get(id) ?? assert.fail(`nothing was captured for ${id}`);
    const reader = await store.open(manifestKey ?? "");
    assert.equal(reader.collections.length, expected.size);
    for (const [name, content] of expected) {
      const parts = await Array.fromAsync(reader.documents("shop", name));
      assert.ok(Buffer.concat(parts).equals(content), `${name} of ${id} is not what was read`);
    }
    this.#count("restores");
  }
}

function changedIds(log: readonly { readonly collection: string; readonly id: number }[], name: string): Buffer[] {
  const numbers = new Set(log.filter(({ collection }) => collection === name).map(({ id }) => id));
  return [...numbers]
    .toSorted((one, other) => one - other)
    .map((id) => Buffer.from(serialize({ _id: new Int32(id) }).subarray(4, -1)));
}

function documentsOf(bytes: Buffer): Map<number, Buffer> {
  const documents = new Map<number, Buffer>();
  for (let position = 0; position < bytes.length;) {
    const end = position + bytes.readInt32LE(position);
    documents.set(bytes.readInt32LE(position + 9), bytes.subarray(position, end));
    position = end;
  }
  return documents;
}

async function* inOnePiece(documents: readonly Buffer[]): AsyncGenerator<Buffer> {
  yield Buffer.concat(documents);
}
