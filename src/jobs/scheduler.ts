import type { SnapshotExpiry } from "../domain/backups/expiry.ts";
import type { SnapshotTransitions } from "../domain/backups/snapshot-transitions.ts";
import type { Clock } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";
import type { Metadata } from "../ports/metadata/metadata.ts";
import type { Ids } from "../ports/ids.ts";

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
  stop(): Promise<void>;
  /** One round, for whoever holds the clock. */
  tick(): Promise<void>;
}

const intervalMs = 5000;
/** Deployments and snapshots dealt with in one round. */
const batch = 100;
/** How often garbage is collected without an occasion: what users delete, and what attempts that failed left. */
const garbageIntervalMs = 3_600_000;
/** Garbage is one job for the whole store. */
export const garbageKey = "store";

/** Queues scheduled snapshots when they are due, and ends what has expired: snapshots, tokens, database users. */
export function createScheduler({ metadata, transitions, expiry, clock, ids, log }: SchedulerOptions): Scheduler {
  const stopping = new AbortController();
  let loop: Promise<void> = Promise.resolve();
  let garbageRequestedMs = clock.monotonicMs();
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
      await tick().catch((error: unknown) => log.error({ err: error }, "a round of the scheduler failed"));
      await clock.sleep(intervalMs, stopping.signal).catch(() => undefined);
    }
  }

  async function tick(): Promise<void> {
    await transitions.correctPlans();
    for (const { id } of await metadata.deployments.dueForSnapshot(clock.nowMs(), batch)) {
      const snapshot = await transitions.queueScheduled(id);
      if (snapshot !== undefined) log.info({ deploymentId: id, snapshotId: snapshot.id, frequency: snapshot.frequencyType }, "a scheduled snapshot is due");
    }
    const expired = await expiry.removeExpired(batch);
    if (expired > 0) log.info({ count: expired }, "expired snapshots were removed");
    if (expired > 0 || clock.monotonicMs() - garbageRequestedMs > garbageIntervalMs) {
      garbageRequestedMs = clock.monotonicMs();
      await requestGarbageCollection(metadata, clock, ids);
    }
    const nowMs = clock.nowMs();
    await metadata.access.deleteExpiredTokens(nowMs);
    await metadata.databaseUsers.deleteExpired(nowMs);
  }
}

/** Asks for a collection of garbage, unless one is asked for already. */
export async function requestGarbageCollection(metadata: Metadata, clock: Clock, ids: Ids): Promise<void> {
  if (await metadata.jobs.unfinishedFor(garbageKey)) return;
  await metadata.jobs.insert({ id: ids.objectId(), kind: "collectGarbage", subjectId: garbageKey, exclusiveKey: garbageKey, runAtMs: clock.nowMs() });
}
