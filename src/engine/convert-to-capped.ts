import { buildDocument } from "./bson/builder.ts";
import { int64Value, trueValue } from "./bson/value.ts";
import type { CollectionRecord } from "./catalog/catalog.ts";
import { checkedOptions } from "./catalog/collection-options.ts";
import { settingsOf } from "./catalog/collection-settings.ts";
import { storedBatches } from "./planner/access.ts";
import { isClustered } from "./catalog/clustered-index.ts";
import { everythingById, type Plan } from "./planner/plan.ts";
import { renameCollection } from "./rename-collection.ts";
import type { Pace } from "./storage/turns.ts";
import type { WriteTransaction } from "./write-transaction.ts";

/**
 * Puts a capped collection of the newest documents in the place of a collection, in their natural order; of its options and indexes nothing is kept (manual,
 * "convertToCapped"). Throws 2 BadValue for a size that is none.
 */
export async function convertToCapped(
  transaction: WriteTransaction,
  record: CollectionRecord,
  sizeBytes: number,
  pace: Pace,
): Promise<void> {
  const namespace = { database: record.database, collection: record.name };
  const given = buildDocument([
    ["capped", trueValue],
    ["size", int64Value(BigInt(sizeBytes))],
  ]);
  const options = checkedOptions(namespace, given);
  const kept = settingsOf({ options }).capped?.sizeBytes ?? sizeBytes;
  const unfinished = transaction.createCollection(
    { ...namespace, collection: `tmp.convertToCapped.${record.id}` },
    options,
  );
  const writer = transaction.writerOf(unfinished);
  // What would only be pushed out again is not copied.
  let excessBytes = record.dataSizeBytes - kept;
  const inOrder: Plan = isClustered(record) ? everythingById : { kind: "scan", sorted: true, backwards: false };
  for (const batch of storedBatches(transaction.connection, record, inOrder)) {
    for (const { bytes } of batch) {
      if (excessBytes > 0) excessBytes -= bytes.length;
      else await pace.drain(writer.insertion(bytes));
    }
    if (pace.due) await pace.rest();
  }
  renameCollection(transaction, transaction.settled(unfinished), namespace);
}
