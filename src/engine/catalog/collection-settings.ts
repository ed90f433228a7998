import { bsonType } from "../bson/types.ts";
import { getField } from "../bson/walk.ts";
import { type Collation, parseCollation } from "../query/collation.ts";
import type { CollectionRecord } from "./catalog.ts";

/** What the options of a collection say, made ready. */
export interface CollectionSettings {
  /** How strings compare where a command does not say. */
  readonly collation: Collation | undefined;
}

const known = new WeakMap<Uint8Array, CollectionSettings>();

/** Settings of a collection or view; read once for its options. */
export function settingsOf({ options }: Pick<CollectionRecord, "options">): CollectionSettings {
  const before = known.get(options);
  if (before !== undefined) return before;
  const collation = getField(options, "collation");
  const settings = { collation: collation?.type === bsonType.object ? parseCollation(collation.bytes()) : undefined };
  known.set(options, settings);
  return settings;
}

/** The collation of a command on a collection: its own when it names one, `simple` included, or else the collection's. Throws what `parseCollation` throws. */
export function collationFor(
  given: Uint8Array | undefined,
  record: Pick<CollectionRecord, "options"> | undefined,
): Collation | undefined {
  if (given !== undefined && given.length > 5) return parseCollation(given);
  return record === undefined ? undefined : settingsOf(record).collation;
}
