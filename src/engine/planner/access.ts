import { compareBytes } from "../bson/bytes.ts";
import type { CollectionIndex, CollectionRecord } from "../catalog/catalog.ts";
import { logBatches, type LogRange, positionLost } from "../oplog/read-log.ts";
import type { Connection, Row } from "../storage/database-file.ts";
import { countIndexUse } from "./index-uses.ts";
import type { Flow } from "../query/flow.ts";
import type { KeyRange } from "./key-ranges.ts";
import type { KeysPlan, Plan } from "./plan.ts";

/** A stored document and its row. */
export interface StoredDocument {
  readonly rowId: number;
  readonly bytes: Uint8Array;
  /** The key it was found by, of `index` or else of `_id`; undefined when it was found by none. */
  readonly key?: Uint8Array;
  readonly index?: CollectionIndex | undefined;
}

/** What was looked at on the way; `explain` shows it. */
export interface AccessFigures {
  keysExamined: number;
  docsExamined: number;
}

export type Batches = Generator<readonly StoredDocument[]>;

const firstBatchSize = 101;
const batchSize = 500;
/** Collections beyond this are read in batches whose documents are looked at for their size before; below it everything may be held. */
const batchMaxBytes = 16 * 1024 * 1024;
const checkedBatchSize = 200;

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
      ? plan.log === undefined
        ? scanBatches(connection, record, plan.backwards)
        : entryBatches(connection, plan.log, plan.backwards)
      : keyBatches(connection, record, plan, figures);
  for (const batch of batches) yield counted(batch, figures);
}

/** Documents after which is asked whether it is time to give way: what is computed of each may take long. */
const stretchLength = 16;

/** Documents as the plan finds them, which may be more than fit. `note` is told of each before it is given. */
export function* storedFlow(
  connection: Connection,
  record: CollectionRecord,
  plan: Plan,
  figures?: AccessFigures,
  note?: (stored: StoredDocument) => void,
): Flow {
  for (const batch of storedBatches(connection, record, plan, figures)) {
    for (const [position, stored] of batch.entries()) {
      note?.(stored);
      yield stored.bytes;
      if (position % stretchLength === stretchLength - 1) yield undefined;
    }
    yield undefined;
  }
}

function counted(batch: readonly StoredDocument[], figures: AccessFigures): readonly StoredDocument[] {
  figures.docsExamined += batch.length;
  return batch;
}

function* entryBatches(connection: Connection, range: LogRange, backwards: boolean): Batches {
  for (const rows of logBatches(connection, range, backwards))
    yield rows.map((row) => ({ rowId: Number(row[0]), bytes: row[1] as Uint8Array }));
}

/** Ranges of keys after which is asked whether it is time to give way. */
const rangesBetweenPauses = 256;

function* keyBatches(
  connection: Connection,
  record: CollectionRecord,
  { index, ranges, backwards }: KeysPlan,
  figures: AccessFigures,
): Batches {
  countIndexUse(index?.bytes ?? record.uuid);
  // In an index over arrays one document has several keys, and is given once.
  const given = index?.multikey === true ? new Set<number>() : undefined;
  for (const [position, range] of (backwards ? ranges.toReversed() : ranges).entries()) {
    // Ranges without a key take their time, too.
    if (position % rangesBetweenPauses === rangesBetweenPauses - 1) yield [];
    const batches =
      index === undefined
        ? idBatches(connection, record, range, backwards)
        : indexBatches(connection, record, index, range, backwards);
    for (const batch of batches) {
      figures.keysExamined += batch.length;
      yield given === undefined ? batch : batch.filter(({ rowId }) => !given.has(rowId) && given.add(rowId));
    }
  }
}

interface Batch {
  readonly rows: readonly Row[];
  /** Whether no row follows. */
  readonly ended: boolean;
}

/** What a query names its columns. */
interface Columns {
  readonly rowId: string;
  readonly document: string;
  /** What the query's order is by, besides the row. */
  readonly key: string;
}

const inStoredOrder: Columns = { rowId: "rid", document: "d", key: "rid" };
const ofId: Columns = { rowId: "rid", document: "d", key: "k" };
const ofIndex: Columns = { rowId: "x.rid", document: "c.d", key: "x.k" };

/** The next rows `[row, document, key]` of a query: as many as wanted, or fewer where documents are large. Each may have 16 MiB. */
function nextRows(
  connection: Connection,
  record: CollectionRecord,
  columns: Columns,
  query: string,
  wanted: number,
  ...parameters: (Uint8Array | number)[]
): Batch {
  const limit =
    record.dataSizeBytes <= batchMaxBytes
      ? wanted
      : fittingRows(connection, columns, query, Math.min(wanted, checkedBatchSize), parameters);
  const { rowId, document, key } = columns;
  const rows = connection.all(`SELECT ${rowId}, ${document}, ${key} ${query} LIMIT ?`, ...parameters, limit);
  return { rows, ended: rows.length < limit };
}

/** How many of the next rows may be held at once; at least one. Lengths stand in the rows' heads, so that no document is read for this. */
function fittingRows(
  connection: Connection,
  { rowId, document, key }: Columns,
  query: string,
  wanted: number,
  parameters: readonly (Uint8Array | number)[],
): number {
  // What the order is by is asked for too: else SQLite reads all of a collection that a transaction has written to before it orders it.
  const sizes = `SELECT length(${document}) AS size, ${rowId}, ${key} ${query} LIMIT ?`;
  const [largest] = connection.get(`SELECT max(size) FROM (${sizes})`, ...parameters, wanted) ?? [];
  if (Number(largest) * wanted <= batchMaxBytes) return wanted;
  let bytes = 0;
  const rows = connection.all(sizes, ...parameters, wanted);
  const tooMany = rows.findIndex(([size]) => {
    bytes += Number(size);
    return bytes > batchMaxBytes;
  });
  return tooMany === -1 ? wanted : Math.max(1, tooMany);
}

function storedDocuments(rows: readonly Row[]): readonly StoredDocument[] {
  return rows.map((row) => ({ rowId: Number(row[0]), bytes: row[1] as Uint8Array }));
}

function foundDocuments(rows: readonly Row[], index: CollectionIndex | undefined): readonly StoredDocument[] {
  return rows.map((row) => ({
    rowId: Number(row[0]),
    bytes: row[1] as Uint8Array,
    key: row[2] as Uint8Array,
    index,
  }));
}

function* scanBatches(connection: Connection, record: CollectionRecord, backwards: boolean): Batches {
  const [compare, order] = backwards ? ["<", "DESC"] : [">", "ASC"];
  const query = `FROM c_${record.id} WHERE rid ${compare} ? ORDER BY rid ${order}`;
  let last = backwards ? Number.MAX_SAFE_INTEGER : Number.MIN_SAFE_INTEGER;
  for (let size = firstBatchSize; ; size = batchSize) {
    const { rows, ended } = nextRows(connection, record, inStoredOrder, query, size, last);
    if (rows.length > 0) yield storedDocuments(rows);
    if (ended) return;
    last = Number(rows.at(-1)?.[0]);
  }
}

/**
 * What a capped collection has behind a row, in stored order. Each batch continues at the last row of the one before, which must still be there: else the collection
 * has gone on without its reader. Throws 136 CappedPositionLost then.
 */
export function* tailBatches(connection: Connection, record: CollectionRecord, after: number | undefined): Batches {
  // The collection grows while it is read.
  const full = { ...record, dataSizeBytes: Number.POSITIVE_INFINITY };
  for (let last = after; ;) {
    if (last !== undefined && connection.get(`SELECT 1 FROM c_${record.id} WHERE rid = ?`, last) === undefined)
      throw positionLost(last);
    const query = `FROM c_${record.id} WHERE rid > ? ORDER BY rid`;
    const from = last ?? Number.MIN_SAFE_INTEGER;
    const { rows, ended } = nextRows(connection, full, inStoredOrder, query, batchSize, from);
    if (rows.length > 0) yield storedDocuments(rows);
    if (ended) return;
    last = Number(rows.at(-1)?.[0]);
  }
}

function* idBatches(connection: Connection, record: CollectionRecord, range: KeyRange, backwards: boolean): Batches {
  let { from, to } = range;
  let inclusive = true;
  for (let size = firstBatchSize; ; size = batchSize) {
    const condition = backwards
      ? "k >= ? AND k < ? ORDER BY k DESC"
      : `k ${inclusive ? ">=" : ">"} ? AND k < ? ORDER BY k`;
    const query = `FROM c_${record.id} WHERE ${condition}`;
    const { rows, ended } = nextRows(connection, record, ofId, query, size, from, to);
    if (rows.length > 0) yield foundDocuments(rows, undefined);
    if (ended) return;
    const last = rows.at(-1)?.[2] as Uint8Array;
    if (backwards) to = last;
    else from = last;
    inclusive = false;
  }
}

function* indexBatches(
  connection: Connection,
  record: CollectionRecord,
  index: CollectionIndex,
  range: KeyRange,
  backwards: boolean,
): Batches {
  let key = backwards ? range.to : range.from;
  let rowId = Number.MIN_SAFE_INTEGER;
  const end = backwards ? range.from : range.to;
  const condition = backwards
    ? "(x.k, x.rid) < (?, ?) AND x.k >= ? ORDER BY x.k DESC, x.rid DESC"
    : "(x.k, x.rid) > (?, ?) AND x.k < ? ORDER BY x.k, x.rid";
  const query = `FROM x_${index.id} x CROSS JOIN c_${record.id} c ON c.rid = x.rid WHERE ${condition}`;
  for (let size = firstBatchSize; ; size = batchSize) {
    const { rows, ended } = nextRows(connection, record, ofIndex, query, size, key, rowId, end);
    if (rows.length > 0) yield foundDocuments(rows, index);
    const last = rows.at(-1);
    if (last === undefined || ended || compareBytes(last[2] as Uint8Array, range.to) > 0) return;
    key = last[2] as Uint8Array;
    rowId = Number(last[0]);
  }
}
