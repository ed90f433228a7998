import assert from "node:assert/strict";
import { test } from "node:test";
import type { JobKind, LeasedJob } from "../../src/ports/metadata/job-records.ts";
import type { Metadata } from "../../src/ports/metadata/metadata.ts";
import { job } from "../support/records.ts";

const everyKind: readonly JobKind[] = ["provision", "deprovision", "takeSnapshot", "restore", "collectGarbage"];

export function jobPromises(metadata: () => Metadata): void {
  const lease = (nowMs: number, owner = "one", kinds = everyKind): Promise<LeasedJob | undefined> =>
    metadata().jobs.lease(kinds, owner, nowMs, 100);
  const mustLease = async (nowMs: number, owner = "one"): Promise<LeasedJob> => {
    const leased = await lease(nowMs, owner);
    assert.ok(leased !== undefined, "a job was to be had");
    return leased;
  };

  test("the oldest due job of the kinds asked for is leased, each to one owner", async () => {
    const { jobs } = metadata();
    await jobs.insert(job("late", { runAtMs: 2000 }));
    await jobs.insert(job("first"));
    await jobs.insert(job("other", { kind: "restore" }));
    await jobs.insert(job("second"));
    assert.equal(await lease(999), undefined);
    assert.equal(await lease(1000, "one", []), undefined);
    const { attempts, leaseToken, ...first } = await mustLease(1000);
    assert.deepEqual(first, job("first"));
    assert.deepEqual([attempts, leaseToken], [1, 1]);
    assert.equal((await lease(1000, "two", ["takeSnapshot"]))?.id, "second");
    assert.equal((await lease(1000))?.id, "other");
    assert.equal(await lease(1000), undefined);
    assert.equal((await lease(2000, "two"))?.id, "late");
  });

  test("jobs of one key run one after the other, oldest first, whatever their kind and time", async () => {
    const { jobs } = metadata();
    await jobs.insert(job("a", { exclusiveKey: "k", kind: "provision" }));
    await jobs.insert(job("b", { exclusiveKey: "k" }));
    assert.equal(await lease(1000, "one", ["takeSnapshot"]), undefined, "the older one is of a kind not asked for");
    const a = await mustLease(1000);
    assert.equal(await lease(1000), undefined, "the key is held");
    assert.equal(await jobs.postpone(a, 5000, "later"), true);
    assert.equal(await lease(1000), undefined, "the older one waits and keeps its place");
    assert.equal(await jobs.nextDueMs(everyKind), 5000);
    assert.equal(await jobs.finish(await mustLease(5000)), true);
    assert.equal((await lease(5000))?.id, "b");
  });

  test("a lease that ran out is taken over, and the token of the one before counts no more", async () => {
    const { jobs } = metadata();
    await jobs.insert(job("a"));
    const before = await mustLease(1000, "one");
    assert.equal(await lease(1099, "two"), undefined);
    const after = await mustLease(1100, "two");
    assert.deepEqual([after.id, after.attempts], ["a", 2]);
    assert.ok(after.leaseToken > before.leaseToken);
    assert.equal(await jobs.holds(before), false);
    assert.equal(await jobs.renew(before, 1100, 100), false);
    assert.equal(await jobs.postpone(before, 9, "no"), false);
    assert.equal(await jobs.finish(before), false);
    assert.equal(await jobs.holds(after), true);
    assert.equal(await jobs.finish(after), true);
    assert.equal(await jobs.unfinishedFor("a-subject"), false);
  });

  test("a renewed lease is not taken over before its new end", async () => {
    const { jobs } = metadata();
    await jobs.insert(job("a"));
    const leased = await mustLease(1000);
    assert.equal(await jobs.renew(leased, 1050, 100), true);
    assert.equal(await lease(1149, "two"), undefined);
    assert.equal((await lease(1150, "two"))?.id, "a");
  });

  test("a postponed job is nobody's until its time", async () => {
    const { jobs } = metadata();
    await jobs.insert(job("a"));
    const leased = await mustLease(1000);
    assert.equal(await jobs.postpone(leased, 3000, "source unreachable"), true);
    assert.equal(await jobs.holds(leased), false);
    assert.equal(await jobs.finish(leased), false);
    assert.equal(await lease(2999), undefined);
    assert.equal((await mustLease(3000)).attempts, 2);
  });

  test("freeing every lease gives the jobs back and takes the tokens' power", async () => {
    const { jobs } = metadata();
    await jobs.insert(job("a"));
    await jobs.insert(job("b"));
    const a = await mustLease(1000);
    await mustLease(1000);
    assert.equal(await jobs.releaseAll(), 2);
    assert.equal(await jobs.releaseAll(), 0);
    assert.equal(await jobs.holds(a), false);
    assert.equal(await jobs.finish(a), false);
    const again = await mustLease(1000);
    assert.equal(again.id, "a");
    assert.ok(again.leaseToken > a.leaseToken);
  });

  test("the next due time leaves out leased jobs and those that wait behind them", async () => {
    const { jobs } = metadata();
    assert.equal(await jobs.nextDueMs(everyKind), undefined);
    await jobs.insert(job("a", { runAtMs: 1000, exclusiveKey: "k" }));
    await jobs.insert(job("b", { runAtMs: 900, exclusiveKey: "k" }));
    await jobs.insert(job("c", { runAtMs: 3000, kind: "restore" }));
    assert.equal(await jobs.nextDueMs(everyKind), 1000);
    assert.equal(await jobs.nextDueMs(["restore"]), 3000);
    assert.equal(await jobs.nextDueMs([]), undefined);
    const a = await mustLease(1000);
    assert.equal(await jobs.nextDueMs(everyKind), 3000);
    await jobs.finish(a);
    assert.equal(await jobs.nextDueMs(everyKind), 900);
    assert.equal(await jobs.unfinishedFor("b-subject"), true);
  });

  test("a result and the end of its job are one: the loser of a lease changes nothing", async () => {
    const { jobs } = metadata();
    await jobs.insert(job("a"));
    const loser = await mustLease(1000, "one");
    const winner = await mustLease(1100, "two");
    const conclude = (leased: LeasedJob, name: string): Promise<boolean> =>
      metadata().transaction(async (records) => {
        if (!(await records.jobs.holds(leased))) return false;
        await records.organizations.insert({ id: name, name, createdAtMs: 1 });
        return records.jobs.finish(leased);
      });
    assert.deepEqual(await Promise.all([conclude(loser, "loser"), conclude(winner, "winner")]), [false, true]);
    assert.equal(await metadata().organizations.find("loser"), undefined);
    assert.equal((await metadata().organizations.find("winner"))?.name, "winner");
  });
}
