import type { Clock } from "../../ports/clock.ts";
import type { Ids } from "../../ports/ids.ts";
import type { Log } from "../../ports/log.ts";
import type { Metadata } from "../../ports/metadata/metadata.ts";
import type { SnapshotRepository } from "../../ports/snapshot-repository.ts";
import { defineTask, type Task } from "../define-task.ts";
import { requestScrub, scrubIntervalMs } from "../request-scrub.ts";

export interface ScrubParts {
  readonly metadata: Metadata;
  readonly repository: SnapshotRepository;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
}

/** A hundredth of the store a day, and not less than this, so that every byte is read again within 100 days. */
const leastBytes = 256 * 1_048_576;
const daysForAll = 100;
const objectsMax = 10_000;

/** Reads and authenticates the objects that were not read for the longest time, within a budget, and comes back tomorrow. */
export function scrub(parts: ScrubParts): Task {
  const { metadata, repository, clock, log } = parts;
  return defineTask({
    kind: "scrub",
    attemptsMax: 3,
    async run(job, signal) {
      const sizes = new Map<string, number>();
      for await (const { key, sizeBytes } of repository.objects()) sizes.set(key, sizeBytes);
      await metadata.objectChecks.replaceWith(new Set(sizes.keys()));
      const total = [...sizes.values()].reduce((sum, sizeBytes) => sum + sizeBytes, 0);
      let left = Math.max(leastBytes, total / daysForAll);
      const objectKeys = new Set<string>();
      for (const { objectKey } of await metadata.objectChecks.leastRecent(objectsMax)) {
        left -= sizes.get(objectKey) ?? 0;
        if (left < 0 && objectKeys.size > 0) break;
        objectKeys.add(objectKey);
      }
      const manifestKeys = await metadata.snapshots.liveManifestKeys();
      const { damages, objectCount, sizeBytes } = await repository.verify({ objectKeys, manifestKeys, signal });
      for (const { objectKey, reason, ranges, lostSnapshotIds } of damages)
        log.error(
          {
            objectKey,
            reason,
            snapshotIds: [...new Set([...lostSnapshotIds, ...ranges.map((range) => range.snapshotId)])],
          },
          "a stored object is damaged (telamon verify tells what is hurt)",
        );
      await metadata.objectChecks.checked(objectKeys, clock.nowMs());
      log.info({ objectCount, sizeBytes, damaged: damages.length }, "stored objects were checked");
      await metadata.jobs.finish(job);
      await requestScrub(parts, clock.nowMs() + scrubIntervalMs);
    },
    async giveUp(job, reason) {
      log.error({ reason }, "stored objects could not be checked");
      await metadata.jobs.finish(job);
      await requestScrub(parts, clock.nowMs() + scrubIntervalMs);
    },
  });
}
