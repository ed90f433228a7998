import { arrayValue, buildDocument, objectValue } from "./bson/builder.ts";
import { equalBytes } from "./bson/bytes.ts";
import { nullValue, type Value } from "./bson/value.ts";
import { getField } from "./bson/walk.ts";
import type { CollectionIndex, CollectionRecord } from "./catalog/catalog.ts";
import { EngineError } from "./engine-error.ts";
import type { Connection } from "./storage/database-file.ts";
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
  let same: { readonly key: Uint8Array; readonly rowIds: number[] } | undefined;
  const tell = (): void => {
    if (same === undefined || same.rowIds.length < 2 || sizeBytes > violationsMaxBytes) return;
    const ids = same.rowIds.map((rowId) => idOf(connection, record, rowId));
    sizeBytes += ids.reduce((sum, id) => sum + id.end - id.start + 16, 0);
    violations.push(objectValue([["ids", arrayValue(ids)]]));
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

function idOf(connection: Connection, { id }: CollectionRecord, rowId: number): Value {
  const document = connection.get(`SELECT d FROM c_${id} WHERE rid = ?`, rowId)?.[0] as Uint8Array | undefined;
  return getField(document ?? buildDocument([]), "_id") ?? nullValue;
}
