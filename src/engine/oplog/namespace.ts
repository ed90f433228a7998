import { EngineError } from "../engine-error.ts";
import type { CollectionRecord } from "../catalog/catalog.ts";
import type { Namespace } from "../engine.ts";

/** Where the operation log is read (manual, "Replica Set Oplog"). */
export const oplogNamespace: Namespace = { database: "local", collection: "oplog.rs" };

/** Its row in the catalog, and so its table `c_0`; numbers of other collections begin at 1. */
export const oplogId = 0;

/** Bytes of entries that the log keeps unless said otherwise. */
export const oplogDefaultMaxBytes = 256 * 1024 * 1024;

export function isOplog(record: Pick<CollectionRecord, "id">): boolean {
  return record.id === oplogId;
}

/** Throws 73 InvalidNamespace: the log is written by writes to other collections alone. */
export function refuseOplog({ database, collection }: Namespace): void {
  if (database === oplogNamespace.database && collection === oplogNamespace.collection)
    throw new EngineError(73, "InvalidNamespace", "cannot write to local.oplog.rs, the operation log");
}
