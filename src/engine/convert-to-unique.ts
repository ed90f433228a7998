import { arrayValue, buildDocument, objectValue } from "./bson/builder.ts";
import { equalBytes } from "./bson/bytes.ts";
import { nullValue, type Value } from "./bson/value.ts";
import { getField } from "./bson/walk.ts";
import type { CollectionIndex, CollectionRecord } from "./catalog/catalog.ts";
import { EngineError } from "./engine-error.ts";
import type { Connection } from "./storage/database-file.ts";
import { keyTexts } from "./storage/index-keys.ts";
import type { Pace } from "./storage/turns.ts";

/** Bytes of `_id`s that are told at most. */
const violationsMaxBytes = 8 * 1024 * 1024;
const batchSize = 1000;

/** 359: documents stand in the way. `violations` is an array of `{ids: [...]}`, one for each key that several documents have. */
export class CannotBeUnique extends EngineError {
  readonly violations: Value;

  constructor(violations: Value) {
    super(
      359,
      "CannotConvertIndexToUnique",
      "Cannot convert the index to unique. Please resolve conflicting documents before running collMod again.",
    );
    this.violations = violations;
  }
}

/** Throws `CannotBeUnique` when several documents have one key in an index. */
export async function requireUniqueKeys(
  connection: Connection,
  record: CollectionRecord,
  index: CollectionIndex,
  pace: Pace,
): Promise<void> {
  const violations: Value[] = [];
  let sizeBytes = 0;
  let same: SameKey | undefined;
  const tell = (): void => {
    if (same === undefined || same.rowIds.length < 2) return;
    for (const rowIds of equalOnes(connection, record, index, same)) {
      if (rowIds.length < 2 || sizeBytes > violationsMaxBytes) continue;
      const ids = rowIds.map((rowId) => idOf(connection, record, rowId));
      sizeBytes += ids.reduce((sum, id) => sum + id.end - id.start + 16, 0);
      violations.push(objectValue([["ids", arrayValue(ids)]]));
    }
  };
  for await (const [key, rowId] of keysOf(connection, index, pace)) {
    if (same !== undefined && equalBytes(same.key, key)) same.rowIds.push(rowId);
    else {
      tell();
      same = { key, rowIds: [rowId] };
    }
  }
  tell();
  if (violations.length > 0) throw new CannotBeUnique(arrayValue(violations));
}

interface SameKey {
  readonly key: Uint8Array;
  readonly rowIds: number[];
}

/** Rows with one key by what is equal: a collation writes some texts alike that are not. */
function equalOnes(
  connection: Connection,
  record: CollectionRecord,
  { fields, collation }: CollectionIndex,
  { key, rowIds }: SameKey,
): Iterable<readonly number[]> {
  if (collation === undefined) return [rowIds];
  const textsOf = keyTexts(fields, collation);
  const byText = new Map<string, number[]>();
  for (const rowId of rowIds)
    for (const text of textsOf(documentOf(connection, record, rowId), key)) {
      const known = byText.get(text);
      if (known === undefined) byText.set(text, [rowId]);
      else known.push(rowId);
    }
  return byText.values();
}

/** Every key of an index and the row it is of, in order. */
async function* keysOf(
  connection: Connection,
  { id }: CollectionIndex,
  pace: Pace,
): AsyncGenerator<readonly [Uint8Array, number]> {
  let [key, rowId] = [new Uint8Array(0), Number.MIN_SAFE_INTEGER];
  for (;;) {
    const rows = connection.all(
      `SELECT k, rid FROM x_${id} WHERE (k, rid) > (?, ?) ORDER BY k, rid LIMIT ?`,
      key,
      rowId,
      batchSize,
    );
    for (const row of rows) {
      [key, rowId] = [row[0] as Uint8Array<ArrayBuffer>, Number(row[1])];
      yield [key, rowId];
    }
    if (rows.length < batchSize) return;
    if (pace.due) await pace.rest();
  }
}

function idOf(connection: Connection, record: CollectionRecord, rowId: number): Value {
  return getField(documentOf(connection, record, rowId), "_id") ?? nullValue;
}

function documentOf(connection: Connection, { id }: CollectionRecord, rowId: number): Uint8Array {
  const document = connection.get(`SELECT d FROM c_${id} WHERE rid = ?`, rowId)?.[0] as Uint8Array | undefined;
  return document ?? buildDocument([]);
}
