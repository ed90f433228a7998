import { requestCataloguing } from "../domain/backups/change-completed-snapshot.ts";
import type { Clock } from "../ports/clock.ts";
import type { DeploymentHost } from "../ports/deployment-host.ts";
import type { Ids } from "../ports/ids.ts";
import type { Log } from "../ports/log.ts";
import type { DeploymentRecord } from "../ports/metadata/deployment-records.ts";
import type { Metadata } from "../ports/metadata/metadata.ts";
import type { SnapshotRepository } from "../ports/snapshot-repository.ts";
import { reasonOf } from "./reason.ts";
import { requestGarbageCollection } from "./request-garbage-collection.ts";
import { requestLockRenewal } from "./request-lock-renewal.ts";
import { requestScrub, scrubIntervalMs } from "./request-scrub.ts";

export interface RecoverOptions {
  readonly metadata: Metadata;
  readonly host: DeploymentHost;
  readonly repository: Pick<SnapshotRepository, "locks">;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
}

/** Databases that are made reachable at once: each waits for the disk a few times. */
const startedAtOnce = 64;

/**
 * What a start does before work begins, where no other process can hold anything: leases of the process before are freed, so that its jobs are taken up at once; what has
 * no job any more is ended or given one; and every database hosted here is served again, by the generation that the metadata says is true (the host deletes what a dead restore left).
 */
export async function recover(options: RecoverOptions): Promise<void> {
  const { metadata, log } = options;
  const freed = await metadata.jobs.releaseAll();
  if (freed > 0) log.info({ count: freed }, "jobs of the process before are taken up again");
  await endAbandonedSnapshots(options);
  const deployments = (await metadata.deployments.all()).filter(({ kind }) => kind === "serverless");
  for (let first = 0; first < deployments.length; first += startedAtOnce) {
    await Promise.all(
      deployments
        .slice(first, first + startedAtOnce)
        .map((deployment) =>
          deployment.state === "CREATING" ? ensureProvisioned(options, deployment) : serve(options, deployment),
        ),
    );
  }
  // Snapshots that a dying process was writing have left packs that nothing refers to.
  await requestGarbageCollection(options);
  await requestScrub(options, options.clock.nowMs() + scrubIntervalMs);
  if (options.repository.locks !== undefined) await requestLockRenewal(options, options.clock.nowMs());
  if ((await metadata.snapshots.catalogueDue(1)).length > 0)
    await metadata.transaction((records) => requestCataloguing(records, options.ids, options.clock.nowMs()));
}

/** Status and job change together, so none should be found; one that is found would look busy for ever. */
async function endAbandonedSnapshots({ metadata, log }: RecoverOptions): Promise<void> {
  for (const id of await metadata.snapshots.idsInProgress()) {
    const ended = await metadata.transaction(async (records) => {
      if (await records.jobs.unfinishedFor(id)) return false;
      await records.snapshots.update(id, {
        status: "failed",
        failureReason: "The server was stopped while the snapshot was taken.",
      });
      return true;
    });
    if (ended) log.warn({ snapshotId: id }, "a snapshot in progress had no job; it is failed");
  }
}

/** One that is being made has its job, unless that was given up. */
async function ensureProvisioned({ metadata, clock, ids }: RecoverOptions, { id }: DeploymentRecord): Promise<void> {
  await metadata.transaction(async ({ jobs }) => {
    if (await jobs.unfinishedFor(id)) return;
    await jobs.insert({
      id: ids.objectId(),
      kind: "provision",
      subjectId: id,
      exclusiveKey: id,
      runAtMs: clock.nowMs(),
    });
  });
}

async function serve(
  { metadata, host, log }: RecoverOptions,
  { id, projectId, name, generation, port }: DeploymentRecord,
): Promise<void> {
  try {
    const address = await host.start({ id, projectId, name, generation, ...(port === undefined ? {} : { port }) });
    if (address.port === port) return;
    await metadata.deployments.update(id, { port: address.port });
    if (port !== undefined)
      log.warn(
        { deploymentId: id, before: port, now: address.port },
        "a database's former port is taken; its connection string has changed",
      );
  } catch (error) {
    log.error({ deploymentId: id, reason: reasonOf(error) }, "a database could not be started");
  }
}
