import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { createDomainWorld, type DomainWorld, errorOf, everything } from "../../../test/support/domain-world.ts";
import { anyPolicy } from "../../../test/support/policies.ts";
import type { BackupPolicy } from "../../ports/metadata/backup-policy.ts";
import type { SnapshotRecord } from "../../ports/metadata/snapshot-records.ts";
import { createSnapshotExpiry } from "./expiry.ts";
import { createSnapshotTransitions } from "./snapshot-transitions.ts";

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** One pause, what becomes of a snapshot that is due after it, and what somebody does to one of those that are there. */
const anyStep = fc.record({
  pauseMs: fc.oneof(fc.integer({ min: 0, max: 9 * hourMs }), fc.integer({ min: -90 * dayMs, max: 400 * dayMs })),
  end: fc.constantFrom("complete", "complete", "complete", "fail"),
  care: fc.constantFrom("nothing", "nothing", "hold", "release", "delete"),
  whose: fc.nat(),
});
type Step = typeof anyStep extends fc.Arbitrary<infer Value> ? Value : never;

/** A deployment as it is, and what is known of each of its completed snapshots, oldest first. */
class World {
  readonly #world: DomainWorld;
  readonly #deploymentId: string;
  readonly #completed: { readonly record: SnapshotRecord; isHeld: boolean; isGone: boolean }[] = [];
  readonly #keepNewest: number;

  constructor(world: DomainWorld, deploymentId: string, { keepNewest }: BackupPolicy) {
    this.#world = world;
    this.#deploymentId = deploymentId;
    this.#keepNewest = keepNewest;
  }

  async step({ pauseMs, end, care, whose }: Step): Promise<void> {
    this.#world.clock.setNowMs(this.#world.clock.nowMs() + pauseMs);
    await this.#takeWhatIsDue(end);
    await this.#careFor(care, whose);
    const expiry = createSnapshotExpiry(this.#world);
    while ((await expiry.removeExpired(2)) > 0);
    await this.#check();
  }

  async #takeWhatIsDue(end: Step["end"]): Promise<void> {
    const { metadata, clock } = this.#world;
    const transitions = createSnapshotTransitions(this.#world);
    await transitions.correctPlans();
    const queued = await transitions.queueScheduled(this.#deploymentId);
    if (queued === undefined) return;
    const job = await this.#world.lease("takeSnapshot");
    await transitions.begin(job);
    if (end === "fail") {
      await transitions.fail(job, "source unreachable");
      return;
    }
    const nowMs = clock.nowMs();
    const facts = { consistency: "exact", serverVersion: "8.0.0", capturedAtMs: nowMs } as const;
    await transitions.complete(job, committedOf(queued.id), facts, nowMs);
    const record = (await metadata.snapshots.find(this.#deploymentId, queued.id)) as SnapshotRecord;
    this.#completed.push({ record, isHeld: false, isGone: false });
  }

  async #careFor(care: Step["care"], whose: number): Promise<void> {
    const there = this.#completed.filter(({ isGone }) => !isGone);
    const one = there[whose % Math.max(1, there.length)];
    if (one === undefined) return;
    const { services, projectId } = this.#world;
    const address = [projectId, "Instance0", one.record.id] as const;
    if (care === "hold" && !one.isHeld) await services.snapshotCare.hold(...address, { by: "x", reason: "y" });
    if (care === "release" && one.isHeld) await services.snapshotCare.release(...address);
    if (care === "hold") one.isHeld = true;
    if (care === "release") one.isHeld = false;
    if (care !== "delete") return;
    const deletion = services.snapshots.delete(...address);
    if (one.isHeld) await assert.rejects(deletion, errorOf("conflict", "SNAPSHOT_HELD"));
    else {
      await deletion;
      one.isGone = true;
    }
  }

  async #check(): Promise<void> {
    const nowMs = this.#world.clock.nowMs();
    const { items } = await this.#world.metadata.snapshots.page(this.#deploymentId, everything);
    const kept = new Set(items.map(({ id }) => id));
    let newer = 0;
    for (const one of this.#completed.toReversed()) {
      if (one.isGone) continue;
      const isAmongNewest = newer < this.#keepNewest;
      const mayGo = !one.isHeld && !isAmongNewest && one.record.expiresAtMs <= nowMs;
      assert.equal(kept.has(one.record.id), !mayGo, mayGo ? "it outlives its time" : "it is gone and should not be");
      if (mayGo) one.isGone = true;
      else newer += 1;
    }
  }
}

const committedOf = (id: string) => ({
  manifestKey: `manifests/${id}`,
  storageSizeBytes: 1,
  addedSizeBytes: 1,
  collectionCount: 1,
  documentCount: 1,
  dataSizeBytes: 1,
});

describe("what stays", () => {
  test("whatever the policy, the pauses, the jumps of the clock, the holds and deletions: the newest and the held stay, and nothing else outlives its time", async () => {
    await fc.assert(
      fc.asyncProperty(anyPolicy, fc.array(anyStep, { minLength: 3, maxLength: 30 }), async (backupPolicy, steps) => {
        const world = await createDomainWorld();
        const deploymentId = await world.instance("Instance0");
        await world.metadata.deployments.update(deploymentId, { backupPolicy });
        const deployment = new World(world, deploymentId, backupPolicy);
        for (const step of steps) await deployment.step(step);
        await world.metadata.close();
      }),
      { numRuns: 60 },
    );
  });
});
