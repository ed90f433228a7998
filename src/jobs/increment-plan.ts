import type { CollectionDescription, StoredCollection, StoredSnapshot } from "../ports/snapshot-repository.ts";
import type { ChangedIds, LoggedChanges, SourceReading } from "../ports/snapshot-source.ts";
import { elementsOf } from "../shared/bson-element.ts";

/** How often what the log says is compared with a full read: never, or each so many snapshots of a deployment (1: all of them are read). */
export type IncrementCheckEvery = "never" | number;

/** Documents of a collection that may have changed, however few it has, before reading it from first to last is quicker; and the share of them, in a large one. */
const changedAlways = 1000;
const changedShare = 0.25;
/** Bytes of the log that are read, however little there is to read otherwise; beyond that no more of it than all documents of the collections it is asked about. */
const logAlwaysBytes = 8 * 1_048_576;

/** How the collections of a snapshot are read. */
export interface IncrementPlan {
  /** `read`: everything is read, for the reason. `check`: so too, and what the log would have made is compared. */
  readonly way: "read" | "log" | "check";
  /** In a few words; undefined for the first snapshot of a deployment. */
  readonly reason: string | undefined;
  /** What changed in a collection since the snapshot before; unknown: it has to be read whole. */
  changesOf(collection: CollectionDescription): ChangedIds;
}

/** Decides it by what the snapshot before is, and what the source's log says about the time since. */
export async function planIncrement(
  reading: SourceReading,
  parent: StoredSnapshot | undefined,
  checkEvery: IncrementCheckEvery,
): Promise<IncrementPlan> {
  if (parent === undefined) return readAll(undefined);
  const { consistency, logPosition } = parent.facts;
  if (consistency !== "exact" || logPosition === undefined)
    return readAll("the snapshot before has no place in an operation log");
  if (reading.facts.consistency !== "exact" || reading.facts.logPosition === undefined)
    return readAll("the source has no operation log that can be read");
  const stored = new Map(parent.collections.map((collection) => [keyOf(collection), collection]));
  const obstacles = new Map(
    reading.collections.map((collection) => [keyOf(collection), obstacleOf(collection, stored.get(keyOf(collection)))]),
  );
  const wanted = reading.collections.filter((collection) => obstacles.get(keyOf(collection)) === undefined);
  const mostOf = (collection: CollectionDescription): number =>
    Math.max(changedAlways, (stored.get(keyOf(collection))?.documentCount ?? 0) * changedShare);
  const dataSizeBytes = wanted.reduce((sum, one) => sum + (stored.get(keyOf(one))?.dataSizeBytes ?? 0), 0);
  const logMostBytes = Math.max(logAlwaysBytes, dataSizeBytes);
  const changes: LoggedChanges = await reading.changesSince(logPosition, wanted, mostOf, logMostBytes);
  if ("unknown" in changes) return readAll(changes.unknown);
  return {
    way: isCheckDue(parent, checkEvery) ? "check" : "log",
    reason: undefined,
    changesOf(collection) {
      const obstacle = obstacles.get(keyOf(collection));
      if (obstacle !== undefined) return { unknown: obstacle };
      const changed = changes.of(collection);
      if ("unknown" in changed) return changed;
      return changed.ids.length > mostOf(collection) ? { unknown: "too many documents changed" } : changed;
    },
  };
}

function readAll(reason: string | undefined): IncrementPlan {
  return { way: "read", reason, changesOf: () => ({ unknown: reason ?? "there is no snapshot before" }) };
}

/** Once something was different the log is not believed until a check finds it right again. */
function isCheckDue({ facts }: StoredSnapshot, checkEvery: IncrementCheckEvery): boolean {
  if (checkEvery === "never") return false;
  return facts.incrementCheck === "different" || (facts.incrementsInARow ?? 0) + 1 >= checkEvery;
}

/** Why a collection has to be read whole whatever the log says; undefined when it need not. */
function obstacleOf(collection: CollectionDescription, before: StoredCollection | undefined): string | undefined {
  if (collection.type !== "collection" || collection.uuid === undefined) return "it is no collection with a UUID";
  if (before?.uuid === undefined || !Buffer.from(before.uuid).equals(collection.uuid))
    return "the snapshot before does not have this collection";
  for (const { name, type, valueStart } of elementsOf(collection.options)) {
    // Its _ids are in the order of its collation.
    if (name === "collation") return "it has a collation";
    // What goes because there is no more room is not in every server's log.
    if (name === "capped" && (type !== 0x08 || collection.options[valueStart] !== 0)) return "it is capped";
  }
  return undefined;
}

function keyOf({ database, name }: CollectionDescription): string {
  // Names of databases have no dot.
  return `${database}.${name}`;
}
