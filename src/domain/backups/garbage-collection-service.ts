import type { Clock } from "../../ports/clock.ts";
import type { Ids } from "../../ports/ids.ts";
import type { GarbageCollectionRecord } from "../../ports/metadata/garbage-collection-records.ts";
import type { Metadata } from "../../ports/metadata/metadata.ts";
import { garbageCollectionNotFound } from "./errors.ts";

/** How long an object waits between being found unneeded and being deleted, where nobody said otherwise. */
export const garbageGraceMs = 86_400_000;
/** Packs written anew in one collection, where nobody said otherwise. */
export const repacksDefault = 4;
/** Results that are remembered. */
export const collectionsKept = 100;

export type RequestGarbageCollection = Partial<Pick<GarbageCollectionRecord, "dryRun" | "graceMs" | "repacksMax">>;

/** Collections of garbage on demand, of the whole store. */
export interface GarbageCollectionService {
  /** Answers the record in status `queued`; a job does it, after those that were asked for before. */
  request(request: RequestGarbageCollection): Promise<GarbageCollectionRecord>;
  /** Throws `GARBAGE_COLLECTION_NOT_FOUND`, also when it is forgotten. */
  get(id: string): Promise<GarbageCollectionRecord>;
}

export function createGarbageCollectionService({
  metadata,
  clock,
  ids,
}: {
  readonly metadata: Metadata;
  readonly clock: Clock;
  readonly ids: Ids;
}): GarbageCollectionService {
  return {
    request: ({ dryRun = false, graceMs = garbageGraceMs, repacksMax = repacksDefault }) =>
      metadata.transaction(async (records) => {
        const collection: GarbageCollectionRecord = {
          id: ids.objectId(),
          status: "queued",
          requestedAtMs: clock.nowMs(),
          finishedAtMs: undefined,
          dryRun,
          graceMs,
          repacksMax,
          report: undefined,
          failureReason: undefined,
        };
        await records.garbageCollections.deleteOld(collectionsKept);
        await records.garbageCollections.insert(collection);
        await records.jobs.insert({
          id: ids.objectId(),
          kind: "collectGarbageOnDemand",
          subjectId: collection.id,
          exclusiveKey: "garbage on demand",
          runAtMs: clock.nowMs(),
        });
        return collection;
      }),
    get: async (id) => {
      const collection = await metadata.garbageCollections.find(id);
      if (collection === undefined) throw garbageCollectionNotFound(id);
      return collection;
    },
  };
}
