import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createDomainWorld, type DomainWorld } from "../../test/support/domain-world.ts";
import { atRest } from "../../test/support/jobs-world.ts";
import type { JobKind, LeasedJob } from "../ports/metadata/job-records.ts";
import type { Log } from "../ports/log.ts";
import type { Task } from "./define-task.ts";
import { abortMs, createWorker, type JobWorker, leaseMs, pollMs } from "./worker.ts";

const silent: Log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

function task(changes: Partial<Task>): Task {
  return {
    kind: "takeSnapshot",
    attemptsMax: 3,
    run: async () => undefined,
    giveUp: async () => undefined,
    ...changes,
  };
}

function workerOf(world: DomainWorld, tasks: readonly Task[], concurrency = 1): JobWorker {
  return createWorker({
    jobs: world.metadata.jobs,
    tasks,
    owner: "here",
    clock: world.clock,
    log: silent,
    concurrency,
  });
}

async function put(world: DomainWorld, exclusiveKey: string, kind: JobKind = "takeSnapshot"): Promise<string> {
  const id = world.ids.objectId();
  await world.metadata.jobs.insert({ id, kind, subjectId: id, exclusiveKey, runAtMs: world.clock.nowMs() });
  return id;
}

/** Moves the clock in steps that a poll notices. */
async function pass(world: DomainWorld, durationMs: number): Promise<void> {
  for (let left = durationMs; left > 0; left -= Math.min(left, 5000)) {
    world.clock.advance(Math.min(left, 5000));
    await atRest();
  }
}

/** Work that ends when told. */
function held(): { readonly promise: Promise<void>; end(): void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { promise, end: resolve };
}

describe("the worker", () => {
  test("runs due jobs, at most so many at once, and those of one key one after the other", async () => {
    const world = await createDomainWorld();
    const gates = new Map<string, ReturnType<typeof held>>();
    const run = async (job: LeasedJob): Promise<void> => {
      gates.set(job.subjectId, held());
      await gates.get(job.subjectId)?.promise;
      await world.metadata.jobs.finish(job);
    };
    const [first, second, third, sameKey] = [
      await put(world, "a"),
      await put(world, "b"),
      await put(world, "c"),
      await put(world, "a"),
    ];
    const worker = workerOf(world, [task({ run })], 2);
    worker.start();
    await atRest();
    assert.deepEqual([...gates.keys()], [first, second]);
    gates.get(first)?.end();
    await atRest();
    await pass(world, pollMs);
    assert.deepEqual([...gates.keys()], [first, second, third], "the one of the same key waits behind an older one");
    for (const id of [second, third]) gates.get(id)?.end();
    await atRest();
    await pass(world, pollMs);
    assert.equal([...gates.keys()].at(-1), sameKey);
    gates.get(sameKey)?.end();
    await worker.stop(0);
  });

  test("tries a job that throws again after growing waits, and gives it up with the reason after the last attempt", async () => {
    const world = await createDomainWorld();
    const began: number[] = [];
    const reasons: string[] = [];
    const giveUp = async (job: LeasedJob, reason: string): Promise<void> => {
      reasons.push(reason);
      await world.metadata.jobs.finish(job);
    };
    const run = async (): Promise<void> => {
      began.push(world.clock.nowMs());
      throw new Error("no luck with mongodb://user:p/w@host/x");
    };
    await put(world, "a");
    const worker = workerOf(world, [task({ run, giveUp })]);
    worker.start();
    await atRest();
    for (let count = 0; count < 100; count += 1) await pass(world, pollMs);
    await worker.stop(0);
    assert.equal(began.length, 3);
    const waits = began.slice(1).map((atMs, index) => atMs - (began[index] as number));
    assert.ok((waits[0] as number) >= 1000 && (waits[1] as number) >= 2000, String(waits));
    assert.deepEqual(reasons, ["no luck with mongodb://***@host/x"]);
    assert.equal(await world.metadata.jobs.nextDueMs(["takeSnapshot"]), undefined);
  });

  test("a job that was begun again and again and never failed is given up, so that it cannot take the process down for ever", async () => {
    const world = await createDomainWorld();
    const reasons: string[] = [];
    let runs = 0;
    await put(world, "a");
    for (let count = 0; count < 12; count += 1) {
      await world.lease("takeSnapshot");
      await world.metadata.jobs.releaseAll();
    }
    const giveUp = async (job: LeasedJob, reason: string): Promise<void> => {
      reasons.push(reason);
      await world.metadata.jobs.finish(job);
    };
    const worker = workerOf(world, [task({ run: async () => void (runs += 1), giveUp })]);
    worker.start();
    await atRest();
    await worker.stop(0);
    assert.equal(runs, 0);
    assert.match(reasons.join(), /begun 12 times/);
  });

  test("keeps the lease of a long job, so that nobody else gets it", async () => {
    const world = await createDomainWorld();
    const gate = held();
    await put(world, "a");
    const worker = workerOf(world, [task({ run: () => gate.promise })]);
    worker.start();
    await atRest();
    await pass(world, leaseMs * 3);
    assert.equal(await world.metadata.jobs.lease(["takeSnapshot"], "there", world.clock.nowMs(), leaseMs), undefined);
    gate.end();
    await worker.stop(0);
  });

  test("a job whose lease was taken over is told so, and neither postponed nor given up", async () => {
    const world = await createDomainWorld();
    let told: unknown;
    const run = (_job: LeasedJob, signal: AbortSignal): Promise<void> =>
      new Promise((_fulfil, reject) => {
        signal.addEventListener("abort", () => {
          told = signal.reason;
          reject(signal.reason as Error);
        });
      });
    await put(world, "a");
    const worker = workerOf(world, [task({ run, giveUp: () => assert.fail("given up") })]);
    worker.start();
    await atRest();
    await world.metadata.jobs.releaseAll();
    const taken = await world.metadata.jobs.lease(["takeSnapshot"], "there", world.clock.nowMs(), leaseMs * 10);
    await pass(world, leaseMs / 3);
    assert.match(String(told), /taken over/);
    assert.ok(await world.metadata.jobs.holds(taken as LeasedJob), "the new holder keeps it");
    await worker.stop(0);
  });

  test("takes over a job whose holder has died, when the lease ran out", async () => {
    const world = await createDomainWorld();
    let runs = 0;
    await put(world, "a");
    await world.metadata.jobs.lease(["takeSnapshot"], "there", world.clock.nowMs(), leaseMs);
    const worker = workerOf(world, [
      task({
        run: async (job) => {
          runs += 1;
          await world.metadata.jobs.finish(job);
        },
      }),
    ]);
    worker.start();
    await atRest();
    await pass(world, leaseMs - 1);
    assert.equal(runs, 0);
    await pass(world, leaseMs / 2);
    assert.equal(runs, 1);
    await worker.stop(0);
  });

  test("stopping lets a job end within the grace, and puts back the one that does not", async () => {
    const world = await createDomainWorld();
    const gate = held();
    const id = await put(world, "a");
    await put(world, "b");
    const run = async (job: LeasedJob, signal: AbortSignal): Promise<void> => {
      if (job.subjectId === id) {
        await gate.promise;
        await world.metadata.jobs.finish(job);
        return;
      }
      await new Promise((_fulfil, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error)));
    };
    const worker = workerOf(world, [task({ run, giveUp: () => assert.fail("given up") })], 2);
    worker.start();
    await atRest();
    const stopped = worker.stop(5000);
    await atRest();
    gate.end();
    await atRest();
    assert.equal(await world.metadata.jobs.unfinishedFor(id), false, "it ended in its own time");
    world.clock.advance(5000);
    await stopped;
    assert.equal(
      await world.metadata.jobs.nextDueMs(["takeSnapshot"]),
      world.clock.nowMs(),
      "the other is due again at once",
    );
  });

  test("stopping does not wait for a job that ignores it", async () => {
    const world = await createDomainWorld();
    await put(world, "a");
    const worker = workerOf(world, [task({ run: () => new Promise(() => undefined) })]);
    worker.start();
    await atRest();
    let stopped = false;
    const stopping = worker.stop(0).then(() => (stopped = true));
    await atRest();
    world.clock.advance(0);
    await atRest();
    assert.equal(stopped, false);
    world.clock.advance(abortMs);
    await stopping;
  });
});
