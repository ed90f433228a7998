import { compareBytes } from "../bson/bytes.ts";
import type { CollectionRecord } from "../catalog/catalog.ts";
import type { Connection } from "../storage/database-file.ts";
import type { KeyRange, Plan } from "./plan.ts";

/** A stored document and its row. */
export interface StoredDocument {
  readonly rowId: number;
  readonly bytes: Uint8Array;
}

const batchSize = 500;

/**
 * Batches of stored documents, found as the plan says. Each batch continues behind the last key or row, so that writes between batches neither repeat nor hide a
 * document that was there all along.
 */
export function* storedBatches(
  connection: Connection,
  record: CollectionRecord,
  plan: Plan,
): Generator<readonly StoredDocument[]> {
  if (plan.kind === "scan") return yield* scanBatches(connection, record);
  const ranges = plan.backwards ? plan.ranges.toReversed() : plan.ranges;
  if (plan.index === undefined) {
    for (const range of ranges) yield* idBatches(connection, record, range, plan.backwards);
    return;
  }
  // In an index over arrays one document has several keys, and is given once.
  const given = plan.index.multikey ? new Set<number>() : undefined;
  for (const range of ranges) {
    for (const batch of indexBatches(connection, record, plan.index.id, range, plan.backwards)) {
      if (given === undefined) yield batch;
      else yield batch.filter(({ rowId }) => !given.has(rowId) && given.add(rowId));
    }
  }
}

function* scanBatches(connection: Connection, record: CollectionRecord): Generator<readonly StoredDocument[]> {
  let last = Number.MIN_SAFE_INTEGER;
  let size = 101;
  for (;;) {
    const rows = connection.all(`SELECT rid, d FROM c_${record.id} WHERE rid > ? ORDER BY rid LIMIT ?`, last, size);
    if (rows.length > 0) yield rows.map((row) => ({ rowId: Number(row[0]), bytes: row[1] as Uint8Array }));
    if (rows.length < size) return;
    last = Number(rows.at(-1)?.[0]);
    size = batchSize;
  }
}

function* idBatches(
  connection: Connection,
  record: CollectionRecord,
  range: KeyRange,
  backwards: boolean,
): Generator<readonly StoredDocument[]> {
  let { from, to } = range;
  let inclusive = true;
  let size = 101;
  for (;;) {
    const rows = backwards
      ? connection.all(
          `SELECT rid, d, k FROM c_${record.id} WHERE k >= ? AND k < ? ORDER BY k DESC LIMIT ?`,
          from,
          to,
          size,
        )
      : connection.all(
          `SELECT rid, d, k FROM c_${record.id} WHERE k ${inclusive ? ">=" : ">"} ? AND k < ? ORDER BY k LIMIT ?`,
          from,
          to,
          size,
        );
    if (rows.length > 0) yield rows.map((row) => ({ rowId: Number(row[0]), bytes: row[1] as Uint8Array }));
    if (rows.length < size) return;
    const last = rows.at(-1)?.[2] as Uint8Array;
    if (backwards) to = last;
    else from = last;
    inclusive = false;
    size = batchSize;
  }
}

function* indexBatches(
  connection: Connection,
  record: CollectionRecord,
  indexId: number,
  range: KeyRange,
  backwards: boolean,
): Generator<readonly StoredDocument[]> {
  let key = backwards ? range.to : range.from;
  let rowId = backwards ? Number.MIN_SAFE_INTEGER : Number.MIN_SAFE_INTEGER;
  let size = 101;
  const select = `SELECT x.rid, c.d, x.k FROM x_${indexId} x CROSS JOIN c_${record.id} c ON c.rid = x.rid`;
  for (;;) {
    const rows = backwards
      ? connection.all(
          `${select} WHERE (x.k, x.rid) < (?, ?) AND x.k >= ? ORDER BY x.k DESC, x.rid DESC LIMIT ?`,
          key,
          rowId,
          range.from,
          size,
        )
      : connection.all(
          `${select} WHERE (x.k, x.rid) > (?, ?) AND x.k < ? ORDER BY x.k, x.rid LIMIT ?`,
          key,
          rowId,
          range.to,
          size,
        );
    if (rows.length > 0) yield rows.map((row) => ({ rowId: Number(row[0]), bytes: row[1] as Uint8Array }));
    const last = rows.at(-1);
    if (last === undefined || rows.length < size || compareBytes(last[2] as Uint8Array, range.to) > 0) return;
    key = last[2] as Uint8Array;
    rowId = Number(last[0]);
    size = batchSize;
  }
}
