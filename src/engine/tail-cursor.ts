import { compilerIn, variablesOf } from "./aggregate/compiler.ts";
import { contextOf } from "./aggregate/context.ts";
import { wholeNumberOf } from "./bson/value.ts";
import { fieldsOf } from "./bson/walk.ts";
import type { CollectionRecord } from "./catalog/catalog.ts";
import { collationFor, settingsOf } from "./catalog/collection-settings.ts";
import type { EngineCursor, FindQuery } from "./engine.ts";
import { badValue, notSupported } from "./engine-error.ts";
import { FollowingCursor } from "./following-cursor.ts";
import type { Commits } from "./oplog/commits.ts";
import { isOplog } from "./oplog/namespace.ts";
import { logBatches, logRange } from "./oplog/read-log.ts";
import { type Batches, tailBatches } from "./planner/access.ts";
import { compileFilter, type Filter } from "./query/filter.ts";
import { filtered, type Flow, mapped } from "./query/flow.ts";
import { compileProjection } from "./query/projection.ts";
import type { ReadState } from "./snapshot-registry.ts";

/** How far a tailable cursor has come. */
interface TailPosition {
  /** The row looked at last. */
  after: number | undefined;
  /** Documents to pass over before the first. */
  skip: number;
}

/** A tailable cursor; one that is at its end at once where there is nothing to stand on. Throws 2 BadValue for what cannot be tailed. */
export function openTail(
  state: ReadState,
  record: CollectionRecord,
  query: FindQuery,
  commits: Commits,
  monotonicMs: () => number,
): EngineCursor {
  requireTailable(record, query);
  const cursor = new TailCursor((position) => tailFlow(state, record, query, position), commits, monotonicMs, query);
  if (record.documentCount === 0) cursor.close();
  return cursor;
}

function requireTailable(record: CollectionRecord, query: FindQuery): void {
  const { sort, hint, min, max, returnKey, showRecordId } = query;
  if (settingsOf(record).capped === undefined)
    throw badValue(
      `error processing query: tailable cursor requested on non capped collection ${record.database}.${record.name}`,
    );
  if (sort !== undefined && sort.length > 5 && !isForwards(sort))
    throw badValue("cannot use tailable option with a sort other than {$natural: 1}");
  if (hint !== undefined && hint !== "$natural" && (typeof hint === "string" || !isForwards(hint)))
    throw badValue("cannot use tailable option with a hint other than {$natural: 1}");
  if (min !== undefined || max !== undefined || returnKey === true || showRecordId === true)
    throw notSupported("a tailable cursor with min, max, returnKey or showRecordId");
}

/** `{$natural: 1}`. */
function isForwards(order: Uint8Array): boolean {
  const [field, more] = [...fieldsOf(order)];
  return field?.name === "$natural" && more === undefined && wholeNumberOf(field.value) === 1;
}

/** What there is behind the position, which moves on with what is read. */
function tailFlow(state: ReadState, record: CollectionRecord, query: FindQuery, position: TailPosition): Flow {
  const collation = collationFor(query.collation, record);
  const compile = compilerIn(contextOf(variablesOf(query.variables), collation));
  const filter = compileFilter(query.filter, { compileExpression: compile, variables: query.variables, collation });
  const batches = isOplog(record)
    ? logRowsAfter(state, filter, position)
    : tailBatches(state.connection, record, position.after);
  const found = filtered(moving(batches, position), (document) => filter.matches(document));
  if (query.projection === undefined) return found;
  return mapped(found, compileProjection(query.projection, { find: true, compileExpression: compile, filter }));
}

function* logRowsAfter({ connection }: ReadState, filter: Filter, { after }: TailPosition): Batches {
  for (const rows of logBatches(connection, logRange(filter), false, after))
    yield rows.map(([rowId, document]) => ({ rowId: Number(rowId), bytes: document as Uint8Array }));
}

function* moving(batches: Batches, position: TailPosition): Flow {
  for (const batch of batches) {
    for (const { rowId, bytes } of batch) {
      position.after = rowId;
      yield bytes;
    }
    yield undefined;
  }
}

/** A cursor over what is written in order (manual, "Tailable Cursors"). */
class TailCursor extends FollowingCursor {
  readonly #open: (position: TailPosition) => Flow;
  readonly #position: TailPosition;
  #limit: number;

  constructor(
    open: (position: TailPosition) => Flow,
    commits: Commits,
    monotonicMs: () => number,
    { skip, limit }: Pick<FindQuery, "skip" | "limit">,
  ) {
    super(commits, monotonicMs);
    this.#open = open;
    this.#position = { after: undefined, skip: skip ?? 0 };
    this.#limit = limit === undefined || limit === 0 ? Number.POSITIVE_INFINITY : limit;
    // A bad query is an error at once.
    open(this.#position).return();
  }

  override next(
    limits: { readonly maxDocuments: number; readonly maxBytes: number },
    signal: AbortSignal,
  ): Promise<readonly Uint8Array[]> {
    return super.next({ ...limits, maxDocuments: Math.min(limits.maxDocuments, this.#limit) }, signal);
  }

  protected override *behind(): Flow {
    for (const document of this.#open(this.#position)) {
      if (document !== undefined && this.#position.skip > 0) this.#position.skip -= 1;
      else yield document;
    }
  }

  protected override given(documents: readonly Uint8Array[]): void {
    this.#limit -= documents.length;
    if (this.#limit === 0) this.close();
  }
}
