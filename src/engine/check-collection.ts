import { validateDocument } from "./bson/validate.ts";
import { idIndexName } from "./catalog/clustered-index.ts";
import type { CollectionIndex, CollectionRecord } from "./catalog/catalog.ts";
import type { ValidationReport } from "./engine.ts";
import { EngineError } from "./engine-error.ts";
import { storedBatches } from "./planner/access.ts";
import { everythingById } from "./planner/plan.ts";
import type { Connection } from "./storage/database-file.ts";
import { Work } from "./steps.ts";
import { idKey, indexKeys } from "./storage/index-keys.ts";
import type { Pace } from "./storage/turns.ts";

/** Most errors that are told one by one. */
const errorsMax = 100;

/** Reads every document and holds it to BSON, to its place under `_id`, and to its keys in every index; then counts what the indexes have beyond that. */
export async function checkCollection(
  connection: Connection,
  record: CollectionRecord,
  pace: Pace,
): Promise<ValidationReport> {
  const errors: string[] = [];
  const say = (error: string): void => void (errors.length < errorsMax && errors.push(error));
  const keys = new Map(record.indexes.map((index) => [index, 0]));
  let documentCount = 0;
  let invalidCount = 0;
  for (const batch of storedBatches(connection, record, everythingById)) {
    for (const { rowId, bytes } of batch) {
      documentCount += 1;
      if (!isWhole(bytes, say)) {
        invalidCount += 1;
        continue;
      }
      const row = connection.get(`SELECT 1 FROM c_${record.id} WHERE rid = ? AND k = ?`, rowId, idKey(bytes));
      if (row === undefined) say(`the document of row ${rowId} has another _id than its key`);
      for (const index of record.indexes)
        keys.set(index, (keys.get(index) ?? 0) + (await checkKeys(connection, index, rowId, bytes, say, pace)));
    }
    if (pace.due) await pace.rest();
  }
  if (documentCount !== record.documentCount)
    say(`${documentCount} documents are there, and ${record.documentCount} were counted`);
  const keysPerIndex = [{ name: idIndexName(record), keyCount: documentCount }];
  for (const [index, expected] of keys) {
    const keyCount = Number(connection.get(`SELECT count(*) FROM x_${index.id}`)?.[0]);
    if (keyCount !== expected) say(`the index ${index.name} has ${keyCount} keys, and the documents have ${expected}`);
    keysPerIndex.push({ name: index.name, keyCount });
    if (pace.due) await pace.rest();
  }
  return { valid: errors.length === 0, documentCount, invalidCount, keysPerIndex, errors };
}

function isWhole(bytes: Uint8Array, say: (error: string) => void): boolean {
  try {
    validateDocument(bytes);
    return true;
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    say(`a document is damaged: ${error.message}`);
    return false;
  }
}

/** Answers how many keys of the document there should be. */
async function checkKeys(
  connection: Connection,
  index: CollectionIndex,
  rowId: number,
  document: Uint8Array,
  say: (error: string) => void,
  pace: Pace,
): Promise<number> {
  const wanted = await pace.finish(new Work((bytes: Uint8Array) => indexKeys(index, bytes)), document);
  let missing = 0;
  for (const key of wanted) {
    if (connection.get(`SELECT 1 FROM x_${index.id} WHERE k = ? AND rid = ?`, key, rowId) === undefined) missing += 1;
    if (pace.due) await pace.rest();
  }
  if (missing > 0) say(`the index ${index.name} lacks ${missing} keys of the document of row ${rowId}`);
  return wanted.length;
}
