import type { Catalog } from "../catalog/catalog.ts";
import { isView } from "../catalog/views.ts";
import type { Namespace } from "../engine.ts";
import { EngineError } from "../engine-error.ts";

/** What a stream watches: a collection, a database, or all of them. */
export type StreamScope =
  | { readonly kind: "collection"; readonly database: string; readonly collection: string }
  | { readonly kind: "database"; readonly database: string }
  | { readonly kind: "cluster" };

const internal: ReadonlySet<string> = new Set(["admin", "config", "local"]);

/** Throws 72, 73 and 166 where no stream can be opened; `collection` is empty on a database. */
export function streamScope({ database, collection }: Namespace, wholeCluster: boolean, catalog: Catalog): StreamScope {
  if (wholeCluster) {
    if (database !== "admin" || collection !== "")
      throw new EngineError(
        72,
        "InvalidOptions",
        `A $changeStream with 'allChangesForCluster:true' may only be opened on the 'admin' database, and with no collection name; found ${database}.${collection}`,
      );
    return { kind: "cluster" };
  }
  if (internal.has(database))
    throw new EngineError(
      73,
      "InvalidNamespace",
      `$changeStream may not be opened on the internal ${database} database`,
    );
  if (collection === "") return { kind: "database", database };
  if (collection.startsWith("system."))
    throw new EngineError(
      73,
      "InvalidNamespace",
      `$changeStream may not be opened on the internal ${database}.${collection} collection`,
    );
  const record = catalog.find({ database, collection });
  if (record !== undefined && isView(record))
    throw new EngineError(
      166,
      "CommandNotSupportedOnView",
      `Namespace ${database}.${collection} is a view, not a collection`,
    );
  return { kind: "collection", database, collection };
}

/** Whether changes of a collection are among what is watched; an empty name stands for the database itself. */
export function watches(scope: StreamScope, { database, collection }: Namespace): boolean {
  if (internal.has(database) || collection.startsWith("system.")) return false;
  if (scope.kind === "cluster") return true;
  if (scope.database !== database) return false;
  return scope.kind === "database" || scope.collection === collection;
}

/** Whether a stream ends with an event (manual, "invalidate Event"). */
export function isEndOf(scope: StreamScope, operationType: string): boolean {
  if (scope.kind === "cluster") return false;
  if (operationType === "dropDatabase") return true;
  return scope.kind === "collection" && (operationType === "drop" || operationType === "rename");
}
