import type { AggregateSurroundings } from "../aggregate-command.ts";
import { variablesOf } from "../aggregate/compiler.ts";
import { contextOf } from "../aggregate/context.ts";
import { compilePipeline, stageField } from "../aggregate/pipeline.ts";
import type { Stage } from "../aggregate/stage.ts";
import { stages } from "../aggregate/stages/index.ts";
import { equalBytes } from "../bson/bytes.ts";
import type { Value } from "../bson/value.ts";
import { getField } from "../bson/walk.ts";
import type { Catalog, CollectionRecord } from "../catalog/catalog.ts";
import type { AggregateQuery, ClusterTime, EngineCursor, Namespace } from "../engine.ts";
import { EngineError } from "../engine-error.ts";
import { FollowingCursor } from "../following-cursor.ts";
import type { Commits } from "../oplog/commits.ts";
import { rowIdOfTime } from "../oplog/time.ts";
import { parseCollation } from "../query/collation.ts";
import { type Flow, mapped } from "../query/flow.ts";
import type { Connection } from "../storage/database-file.ts";
import { refuseTooLarge } from "../storage/collection-writer.ts";
import { idKey } from "../storage/index-keys.ts";
import { type EventMaker, eventsOf } from "./events.ts";
import { changeStreamOptions } from "./options.ts";
import { behind, comparePositions, type StreamPosition, tokenOf } from "./resume-token.ts";
import { streamScope } from "./scope.ts";

/** What goes on changing while a stream is open. */
export interface LiveState {
  readonly writes: { readonly catalog: Catalog; readonly time: ClusterTime; readonly commits: Commits };
  /** Reads what was committed last. */
  readonly connection: Connection;
  readonly monotonicMs: () => number;
}

/** Stages that leave events what they are (manual, "Modify Change Stream Output"). */
const permitted: ReadonlySet<string> = new Set([
  "$addFields",
  "$match",
  "$project",
  "$redact",
  "$replaceRoot",
  "$replaceWith",
  "$set",
  "$unset",
]);

/** Entries read at once. */
const batchSize = 101;

/** Whether a pipeline is that of a change stream. */
export function isChangeStream([first]: readonly Uint8Array[]): boolean {
  return first !== undefined && stageField(first).name === "$changeStream";
}

/** Opens a stream of changes. Throws 72, 73, 166 for what cannot be watched, 20 for stages that may not follow, 286 when what is asked for has left the log. */
export function openChangeStream(
  live: LiveState,
  { moment, random }: Pick<AggregateSurroundings, "moment" | "random">,
  namespace: Namespace,
  query: AggregateQuery,
): EngineCursor {
  const [first, ...following] = query.pipeline;
  const options = changeStreamOptions(stageField(first as Uint8Array).value);
  for (const stage of following) {
    const { name } = stageField(stage);
    if (stages.has(name) && !permitted.has(name))
      throw new EngineError(20, "IllegalOperation", `${name} is not permitted in a $changeStream pipeline`);
  }
  const { connection, writes } = live;
  const maker: EventMaker = {
    options,
    scope: streamScope(namespace, options.allChangesForCluster, writes.catalog),
    lookUp: (where, uuid, key) => lookUp(connection, writes.catalog.find(where), uuid, key),
  };
  const collation = query.collation === undefined ? undefined : parseCollation(query.collation);
  const stage = compilePipeline(following, {
    expressions: contextOf(variablesOf(query.variables, moment), collation, random),
    source: undefined,
    namespace,
    within: [],
  });
  const from = options.from ?? behind(rowIdOfTime(writes.time));
  requireHistory(connection, from);
  return new ChangeStream(live, maker, stage, from);
}

/** The document as it is now, unless its collection is another. */
function lookUp(
  connection: Connection,
  record: CollectionRecord | undefined,
  uuid: Value,
  key: Uint8Array,
): Uint8Array | undefined {
  // A UUID is a binary value: its length and subtype come first.
  if (record === undefined || !equalBytes(record.uuid, uuid.bytes().subarray(5))) return undefined;
  return connection.get(`SELECT d FROM c_${record.id} WHERE k = ?`, idKey(key))?.[0] as Uint8Array | undefined;
}

/** Throws 286 when entries behind a position may be gone. */
function requireHistory(connection: Connection, { rowId }: StreamPosition): void {
  const oldest = connection.get("SELECT rid FROM c_0 ORDER BY rid LIMIT 1")?.[0];
  if (oldest !== undefined && Number(oldest) > rowId + 1)
    throw new EngineError(
      286,
      "ChangeStreamHistoryLost",
      "Resume of change stream was not possible, as the resume point may no longer be in the oplog.",
    );
}

/** A cursor over changes as they come. */
class ChangeStream extends FollowingCursor {
  readonly #connection: Connection;
  readonly #maker: EventMaker;
  readonly #stage: Stage;
  /** Everything up to here was read. */
  #at: StreamPosition;
  /** The event that the stages are given. */
  #current: Uint8Array | undefined;
  /** What is watched is gone. */
  #ended = false;
  #token: Value;

  constructor({ writes, connection, monotonicMs }: LiveState, maker: EventMaker, stage: Stage, from: StreamPosition) {
    super(writes.commits, monotonicMs);
    this.#connection = connection;
    this.#maker = maker;
    this.#stage = stage;
    this.#at = from;
    this.#token = tokenOf(from);
  }

  get resumeToken(): Value {
    return this.#token;
  }

  protected override behind(): Flow {
    return mapped(this.#stage(this.#events()), (event) => this.#checked(event));
  }

  protected override given(documents: readonly Uint8Array[], isOneKept: boolean): void {
    const last = isOneKept ? documents.at(-1) : undefined;
    this.#token = last === undefined ? tokenOf(this.#at) : (getField(last, "_id") as Value);
    if (!isOneKept && this.#ended) this.close();
  }

  /** Events behind the position, which moves on with them. */
  *#events(): Flow {
    const connection = this.#connection;
    for (;;) {
      requireHistory(connection, this.#at);
      const first = this.#at.kind === "time" ? this.#at.rowId + 1 : this.#at.rowId;
      const rows = connection.all("SELECT rid, d FROM c_0 WHERE rid >= ? ORDER BY rid LIMIT ?", first, batchSize);
      for (const [id, entry] of rows) {
        const rowId = Number(id);
        for (const { position, document } of eventsOf(this.#maker, rowId, entry as Uint8Array)) {
          if (comparePositions(position, this.#at) <= 0) continue;
          this.#at = position;
          this.#current = document;
          this.#ended = position.kind === "invalidate";
          yield document;
        }
        if (this.#ended) return;
        // An event is the better place to go on at than the time it came at.
        if (this.#at.rowId !== rowId) this.#at = behind(rowId);
      }
      if (rows.length < batchSize) return;
      yield undefined;
    }
  }

  /** Throws 280 for an event that lost its token, 10334 for one that is too large. */
  #checked(event: Uint8Array): Uint8Array {
    const [token, wanted] = [getField(event, "_id"), getField(this.#current as Uint8Array, "_id") as Value];
    if (token === undefined || token.type !== wanted.type || !equalBytes(token.bytes(), wanted.bytes()))
      throw new EngineError(
        280,
        "ChangeStreamFatalError",
        "Encountered an event whose _id field, which contains the resume token, was modified by the pipeline. Modifying the _id field of an event makes it impossible to resume the stream from that point. Only transformations that retain the unmodified _id field are allowed.",
        ["NonResumableChangeStreamError"],
      );
    return refuseTooLarge(event);
  }
}
