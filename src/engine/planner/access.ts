import { compareBytes } from "../bson/bytes.ts";
import type { CollectionRecord } from "../catalog/catalog.ts";
import type { Connection } from "../storage/database-file.ts";
import { countIndexUse } from "./index-uses.ts";
import type { KeyRange } from "./key-ranges.ts";
import type { KeysPlan, Plan } from "./plan.ts";

/** A stored document and its row. */
export interface StoredDocument {
  readonly rowId: number;
  readonly bytes: Uint8Array;
}

/** What was looked at on the way; `explain` shows it. */
export interface AccessFigures {
  keysExamined: number;
  docsExamined: number;
}

type Batches = Generator<readonly StoredDocument[]>;

const firstBatchSize = 101;
const batchSize = 500;

/**
 * Batches of stored documents, found as the plan says. Each batch continues behind the last key or row, so that writes between batches neither repeat nor hide a
 * document that was there all along.
 */
export function* storedBatches(
  connection: Connection,
  record: CollectionRecord,
  plan: Plan,
  figures: AccessFigures = { keysExamined: 0, docsExamined: 0 },
): Batches {
  if (plan.kind === "or") {
    const given = new Set<number>();
    for (const branch of plan.branches)
      for (const batch of keyBatches(connection, record, branch, figures))
        yield counted(
          batch.filter(({ rowId }) => !given.has(rowId) && given.add(rowId)),
          figures,
        );
    return;
  }
  const batches =
    plan.kind === "scan"
      ? scanBatches(connection, record, plan.backwards)
      : keyBatches(connection, record, plan, figures);
  for (const batch of batches) yield counted(batch, figures);
}

function counted(batch: readonly StoredDocument[], figures: AccessFigures): readonly StoredDocument[] {
  figures.docsExamined += batch.length;
  return batch;
}

function* keyBatches(
  connection: Connection,
  record: CollectionRecord,
  { index, ranges, backwards }: KeysPlan,
  figures: AccessFigures,
): Batches {
  countIndexUse(index?.bytes ?? record.uuid);
  // In an index over arrays one document has several keys, and is given once.
  const given = index?.multikey === true ? new Set<number>() : undefined;
  for (const range of backwards ? ranges.toReversed() : ranges) {
    const batches =
      index === undefined
        ? idBatches(connection, record, range, backwards)
        : indexBatches(connection, record, index.id, range, backwards);
    for (const batch of batches) {
      figures.keysExamined += batch.length;
      yield given === undefined ? batch : batch.filter(({ rowId }) => !given.has(rowId) && given.add(rowId));
    }
  }
}

function* scanBatches(connection: Connection, record: CollectionRecord, backwards: boolean): Batches {
  const [compare, order] = backwards ? ["<", "DESC"] : [">", "ASC"];
  let last = backwards ? Number.MAX_SAFE_INTEGER : Number.MIN_SAFE_INTEGER;
  let size = firstBatchSize;
  for (;;) {
    const rows = connection.all(
      `SELECT rid, d FROM c_${record.id} WHERE rid ${compare} ? ORDER BY rid ${order} LIMIT ?`,
      last,
      size,
    );
    if (rows.length > 0) yield rows.map((row) => ({ rowId: Number(row[0]), bytes: row[1] as Uint8Array }));
    if (rows.length < size) return;
    last = Number(rows.at(-1)?.[0]);
    size = batchSize;
  }
}

function* idBatches(connection: Connection, record: CollectionRecord, range: KeyRange, backwards: boolean): Batches {
  let { from, to } = range;
  let inclusive = true;
  let size = firstBatchSize;
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
): Batches {
  let key = backwards ? range.to : range.from;
  let rowId = Number.MIN_SAFE_INTEGER;
  let size = firstBatchSize;
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
