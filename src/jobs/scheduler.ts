import type { SnapshotExpiry } from "../domain/backups/expiry.ts";
import type { SnapshotTransitions } from "../domain/backups/snapshot-transitions.ts";
import type { Clock } from "../ports/clock.ts";
import type { Ids } from "../ports/ids.ts";
import type { Log } from "../ports/log.ts";
import type { Metadata } from "../ports/metadata/metadata.ts";
import { createDrillRounds } from "./request-drills.ts";
import { requestGarbageCollection } from "./request-garbage-collection.ts";

export interface SchedulerOptions {
  readonly metadata: Metadata;
  readonly transitions: SnapshotTransitions;
  readonly expiry: SnapshotExpiry;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
}

export interface Scheduler {
  start(): void;
  /** Resolves when the round in hand is over. */
  stop(): Promise<void>;
  /** One round, for whoever holds the clock. Never throws: a part that fails is logged and tried again in the next. */
  tick(): Promise<void>;
}

const intervalMs = 5000;
/** Deployments or snapshots dealt with in one transaction or query, and how many such batches in one round. */
export const batch = 100;
const batchesMax = 20;

/** Queues scheduled snapshots when they are due, and ends what has expired: snapshots, tokens, database users. */
export function createScheduler(options: SchedulerOptions): Scheduler {
  const { metadata, transitions, expiry, clock, log } = options;
  const stopping = new AbortController();
  let loop: Promise<void> = Promise.resolve();
  const drills = createDrillRounds(options);
  return {
    start() {
      loop = run();
    },
    async stop() {
      stopping.abort();
      await loop;
    },
    tick,
  };

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      await tick();
      await clock.sleep(intervalMs, stopping.signal).catch(() => undefined);
    }
  }

  async function tick(): Promise<void> {
    await attempt("correcting snapshot plans", async () => void (await transitions.correctPlans()));
    await attempt("queueing scheduled snapshots", queueDue);
    await attempt("removing expired snapshots", removeExpired);
    await attempt("queueing restore drills", queueDrills);
    await attempt(
      "removing expired tokens",
      async () => void (await metadata.access.deleteExpiredTokens(clock.nowMs())),
    );
    await attempt(
      "removing expired database users",
      async () => void (await metadata.databaseUsers.deleteExpired(clock.nowMs())),
    );
  }

  async function attempt(what: string, part: () => Promise<void>): Promise<void> {
    if (stopping.signal.aborted) return;
    try {
      await part();
    } catch (error) {
      log.error({ err: error }, `${what} failed`);
    }
  }

  async function queueDue(): Promise<void> {
    for (let count = 0; count < batchesMax && !stopping.signal.aborted; count += 1) {
      const due = await metadata.deployments.dueForSnapshot(clock.nowMs(), batch);
      for (const { id } of due) {
        const snapshot = await transitions.queueScheduled(id);
        if (snapshot !== undefined)
          log.info(
            { deploymentId: id, snapshotId: snapshot.id, frequency: snapshot.frequencyType },
            "a scheduled snapshot is due",
          );
      }
      if (due.length < batch) return;
    }
  }

  async function queueDrills(): Promise<void> {
    const snapshotId = await drills.next();
    if (snapshotId !== undefined) log.info({ snapshotId }, "a restore drill is due");
  }

  async function removeExpired(): Promise<void> {
    let removed = 0;
    try {
      for (let count = 0; count < batchesMax && !stopping.signal.aborted; count += 1) {
        const expired = await expiry.removeExpired(batch);
        removed += expired;
        if (expired < batch) break;
      }
    } finally {
      if (removed > 0) {
        log.info({ count: removed }, "expired snapshots were removed");
        await requestGarbageCollection(options);
      }
    }
  }
}
