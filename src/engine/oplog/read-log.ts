import { EngineError } from "../engine-error.ts";
import type { Filter } from "../query/filter.ts";
import type { SortField } from "../query/sort.ts";
import type { Connection, Row } from "../storage/database-file.ts";
import { incrementsPerSecond, rowIdOfTime, timeOfValue } from "./time.ts";

/** Rows of the log that a query can find, both ends included. */
export interface LogRange {
  readonly from: number;
  readonly to: number;
}

const wholeLog: LogRange = { from: 0, to: 2 ** 32 * incrementsPerSecond };

/** What conditions on `ts` leave of the log; the filter is asked all the same. */
export function logRange({ conditions }: Filter): LogRange {
  let { from, to } = wholeLog;
  for (const { intervals } of conditions.byPath.get("ts") ?? []) {
    const first = intervals[0]?.from.value;
    const last = intervals.at(-1)?.to.value;
    const firstTime = first === undefined ? undefined : timeOfValue(first);
    const lastTime = last === undefined ? undefined : timeOfValue(last);
    if (firstTime !== undefined) from = Math.max(from, rowIdOfTime(firstTime));
    if (lastTime !== undefined) to = Math.min(to, rowIdOfTime(lastTime));
  }
  return { from, to };
}

/** Whether the log's own order is the one asked for, forwards or backwards; undefined when it is not. */
export function logOrder(sort: readonly SortField[]): "forwards" | "backwards" | undefined {
  const [first] = sort;
  if (first === undefined) return "forwards";
  if (first.path.text !== "ts") return undefined;
  return first.descending ? "backwards" : "forwards";
}

const batchSize = 101;

/**
 * Batches of rows `[rid, d]`. Each continues at the last row of the one before, which must still be there: else the log has gone on without its reader, and what lay
 * between is lost. Throws 136 CappedPositionLost then. `after`: the row that was read last before.
 */
export function* logBatches(
  connection: Connection,
  { from, to }: LogRange,
  backwards: boolean,
  after?: number,
): Generator<readonly Row[]> {
  let last = after;
  for (;;) {
    const [low, high] = last === undefined ? [from, to] : backwards ? [from, last] : [last, to];
    const rows = connection.all(
      `SELECT rid, d FROM c_0 WHERE rid >= ? AND rid <= ? ORDER BY rid ${backwards ? "DESC" : ""} LIMIT ?`,
      low,
      high,
      batchSize,
    );
    if (last !== undefined && Number(rows[0]?.[0]) !== last) throw positionLost(last);
    const fresh = last === undefined ? rows : rows.slice(1);
    if (fresh.length > 0) yield fresh;
    if (rows.length < batchSize) return;
    last = Number(rows.at(-1)?.[0]);
  }
}

/** 136 CappedPositionLost: what was read last is no longer there. */
export function positionLost(rowId: number): EngineError {
  return new EngineError(
    136,
    "CappedPositionLost",
    `CollectionScan died due to position in capped collection being deleted. Last seen record id: ${rowId}`,
  );
}
