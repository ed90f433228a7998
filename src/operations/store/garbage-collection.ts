import { type Static, Type } from "typebox";
import type { GarbageCollectionRecord } from "../../ports/metadata/garbage-collection-records.ts";
import { DateTimeText, type Href, Link, ObjectIdText, presentTime } from "../shapes.ts";

/** Where Telamon's own operations about collections of garbage are. */
export const garbageCollectionsRoute = "/api/telamon/v1/store/garbageCollections";

const Report = Type.Object({
  deletedObjectCount: Type.Integer(),
  deletedSizeBytes: Type.Integer(),
  lockedObjectCount: Type.Integer({ description: "Due, and kept locked by the store." }),
  lockedSizeBytes: Type.Integer(),
  nextAt: Type.Optional(
    Type.Unsafe<string>({ ...DateTimeText, description: "When the first that waits has waited long enough." }),
  ),
  repackedPackCount: Type.Integer({ description: "Packs written anew without what nobody needs." }),
  repackedSizeBytes: Type.Integer({ description: "What their older revisions hold that the new ones do not." }),
  unknownSnapshotIds: Type.Array(ObjectIdText, {
    description: "Snapshots that the metadata has never known; nothing of them is deleted (`telamon recover`).",
  }),
  waitingObjectCount: Type.Integer({ description: "Unneeded, and waiting for their time." }),
  waitingSizeBytes: Type.Integer(),
});

/** A collection of garbage that was asked for. */
export const GarbageCollection = Type.Object(
  {
    dryRun: Type.Boolean(),
    failureReason: Type.Optional(Type.String()),
    finishedAt: Type.Optional(DateTimeText),
    graceHours: Type.Number(),
    id: ObjectIdText,
    links: Type.Array(Link),
    maximumRepacks: Type.Integer(),
    report: Type.Optional(Report),
    requestedAt: DateTimeText,
    status: Type.Enum(["queued", "inProgress", "completed", "failed"]),
  },
  { $id: "GarbageCollection" },
);

export function presentGarbageCollection(
  collection: GarbageCollectionRecord,
  href: Href,
): Static<typeof GarbageCollection> {
  const { failureReason, finishedAtMs, report } = collection;
  return {
    dryRun: collection.dryRun,
    ...(failureReason !== undefined && { failureReason }),
    ...(finishedAtMs !== undefined && { finishedAt: presentTime(finishedAtMs) }),
    graceHours: collection.graceMs / 3_600_000,
    id: collection.id,
    links: [{ href: href(`${garbageCollectionsRoute}/${collection.id}`), rel: "self" }],
    maximumRepacks: collection.repacksMax,
    ...(report !== undefined && { report: presentReport(report) }),
    requestedAt: presentTime(collection.requestedAtMs),
    status: collection.status,
  };
}

function presentReport(report: NonNullable<GarbageCollectionRecord["report"]>): Static<typeof Report> {
  const { nextAtMs, unknownSnapshotIds, ...counts } = report;
  return {
    ...counts,
    ...(nextAtMs !== undefined && { nextAt: presentTime(nextAtMs) }),
    unknownSnapshotIds: [...unknownSnapshotIds],
  };
}
