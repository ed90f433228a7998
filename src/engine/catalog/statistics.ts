import type { CollectionEntry, CollectionStatistics, DatabaseEntry } from "../engine.ts";
import type { CollectionRecord } from "./catalog.ts";
import { isOplog } from "../oplog/namespace.ts";
import { settingsOf } from "./collection-settings.ts";
import { isView } from "./views.ts";

/** Figures of a collection; zeros when there is none. */
export function statisticsOf(record: CollectionRecord | undefined): CollectionStatistics {
  const indexCount = record === undefined || isOplog(record) ? 0 : record.indexes.length + 1;
  return {
    capped: record === undefined ? undefined : settingsOf(record).capped,
    documentCount: record?.documentCount ?? 0,
    dataSizeBytes: record?.dataSizeBytes ?? 0,
    indexCount,
    indexSizeBytes: 4096 * indexCount,
  };
}

/** A database as lists show it. */
export function databaseEntry(name: string, collections: readonly CollectionRecord[]): DatabaseEntry {
  const sizeOnDiskBytes = collections.reduce(
    (sum, record) => sum + record.dataSizeBytes + 4096 * (1 + record.indexes.length),
    0,
  );
  return { name, sizeOnDiskBytes, empty: collections.length === 0 };
}

/** A collection or view as lists show it. */
export function collectionEntry(record: CollectionRecord): CollectionEntry {
  const { name, options, uuid } = record;
  return { name, type: isView(record) ? "view" : "collection", options, uuid };
}
