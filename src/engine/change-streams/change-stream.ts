import type { AggregateSurroundings } from "../aggregate-command.ts";
import { variablesOf } from "../aggregate/compiler.ts";
import { contextOf } from "../aggregate/context.ts";
import { compilePipeline, stageField } from "../aggregate/pipeline.ts";
import type { Stage } from "../aggregate/stage.ts";
import { stages } from "../aggregate/stages/index.ts";
import { emptyDocument } from "../bson/builder.ts";
import { bsonType } from "../bson/types.ts";
import { equalBytes } from "../bson/bytes.ts";
import type { Value } from "../bson/value.ts";
import { getField } from "../bson/walk.ts";
import type { Catalog, CollectionRecord } from "../catalog/catalog.ts";
import type { AggregateQuery, ClusterTime, EngineCursor, Namespace } from "../engine.ts";
import { EngineError, located } from "../engine-error.ts";
import { FollowingCursor } from "../following-cursor.ts";
import type { Commits } from "../oplog/commits.ts";
import { readPreImage } from "../oplog/pre-images.ts";
import { rowIdOfTime } from "../oplog/time.ts";
import { parseCollation } from "../query/collation.ts";
import { type Flow, mapped } from "../query/flow.ts";
import type { Connection } from "../storage/database-file.ts";
import { idKey } from "../storage/index-keys.ts";
import { eventMaxBytes, splitEvent } from "./split-event.ts";
import { type EventMaker, eventsOf, type StreamEvent } from "./events.ts";
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

/** Cuts events that are too large (manual, "$changeStreamSplitLargeEvent"). */
const splitting = "$changeStreamSplitLargeEvent";

/** Entries read at once. */
const batchSize = 101;

/** Whether a pipeline is that of a change stream. */
export function isChangeStream([first]: readonly Uint8Array[]): boolean {
  return first !== undefined && stageField(first).name === "$changeStream";
}

/** Opens a stream of changes. Throws 72, 73, 166 for what cannot be watched, 20 and 7182802 for stages that may not follow, 286 when what is asked for has left the log. */
export function openChangeStream(
  live: LiveState,
  { moment, random }: Pick<AggregateSurroundings, "moment" | "random">,
  namespace: Namespace,
  query: AggregateQuery,
): EngineCursor {
  const [first, ...following] = query.pipeline;
  const options = changeStreamOptions(stageField(first as Uint8Array).value);
  const splits = takeSplitting(following);
  if (options.from?.fragment !== undefined && !splits)
    throw fatal(
      "To resume from a split event, the $changeStream pipeline must include a $changeStreamSplitLargeEvent stage",
    );
  for (const stage of following) {
    const { name } = stageField(stage);
    if (name === splitting) throw located(7_182_802, `${splitting} must be the last stage in the pipeline`);
    if (stages.has(name) && !permitted.has(name))
      throw new EngineError(20, "IllegalOperation", `${name} is not permitted in a $changeStream pipeline`);
  }
  const { connection, writes } = live;
  const maker: EventMaker = {
    options,
    scope: streamScope(namespace, options.allChangesForCluster, writes.catalog),
    preImage: (rowId, index) => readPreImage(connection, rowId, index),
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
  return new ChangeStream(live, maker, stage, from, splits);
}

/** Whether the last stage cuts large events; it is taken off. Throws 7182800. */
function takeSplitting(following: Uint8Array[]): boolean {
  const last = following.at(-1);
  if (last === undefined || stageField(last).name !== splitting) return false;
  const { value } = stageField(last);
  if (value.type !== bsonType.object || value.end - value.start > emptyDocument.length)
    throw located(7_182_800, `${splitting} spec should be an empty object`);
  following.pop();
  return true;
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
  readonly #splits: boolean;
  /** Everything up to here was read. */
  #at: StreamPosition;
  /** The event that the stages are given. */
  #current: StreamEvent | undefined;
  /** The fragment of it that was read last before, where the stream went on within it. */
  #lastFragment: number | undefined;
  /** Fragments of an event whose first were given. */
  #fragments: Uint8Array[] = [];
  /** What is watched is gone. */
  #ended = false;
  #token: Value;

  constructor(
    { writes, connection, monotonicMs }: LiveState,
    maker: EventMaker,
    stage: Stage,
    from: StreamPosition,
    splits: boolean,
  ) {
    super(writes.commits, monotonicMs);
    this.#connection = connection;
    this.#maker = maker;
    this.#stage = stage;
    this.#splits = splits;
    this.#at = from;
    this.#token = tokenOf(from);
  }

  get resumeToken(): Value {
    return this.#token;
  }

  protected override behind(): Flow {
    const events = this.#stage(this.#events());
    return this.#splits ? this.#inFragments(events) : mapped(events, (event) => this.#fitting(this.#checked(event)));
  }

  protected override given(documents: readonly Uint8Array[], isOneKept: boolean): void {
    const isMoreKept = isOneKept || this.#fragments.length > 0;
    const last = isMoreKept ? documents.at(-1) : undefined;
    this.#token = last === undefined ? tokenOf(this.#at) : (getField(last, "_id") as Value);
    if (!isMoreKept && this.#ended) this.close();
  }

  /** Events, those that are too large in parts. */
  *#inFragments(events: Flow): Flow {
    const fragments = this.#fragments;
    for (;;) {
      for (let next = fragments.shift(); next !== undefined; next = fragments.shift()) yield next;
      const { done, value } = events.next();
      if (done === true) return;
      const event = value === undefined ? undefined : this.#checked(value);
      if (event === undefined || (event.length <= eventMaxBytes && this.#lastFragment === undefined)) yield event;
      else fragments.push(...this.#split(event));
    }
  }

  #split(event: Uint8Array): Uint8Array[] {
    if (event.length <= eventMaxBytes)
      throw fatal(
        "Attempted to resume from a split event fragment, but the event in the resumed stream was not large enough to be split",
      );
    const { position } = this.#current as StreamEvent;
    return splitEvent(event, position, this.#lastFragment, eventMaxBytes);
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
        for (const event of eventsOf(this.#maker, rowId, entry as Uint8Array)) {
          const { position, document } = event;
          const order = comparePositions(position, this.#at);
          if (order < 0 || (order === 0 && this.#at.fragment === undefined)) continue;
          this.#lastFragment = order === 0 ? this.#at.fragment : undefined;
          this.#at = position;
          this.#current = event;
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

  /** Throws 280 for an event that lost its token. */
  #checked(event: Uint8Array): Uint8Array {
    const { document } = this.#current as StreamEvent;
    const [token, wanted] = [getField(event, "_id"), getField(document, "_id") as Value];
    if (token === undefined || token.type !== wanted.type || !equalBytes(token.bytes(), wanted.bytes()))
      throw fatal(
        "Encountered an event whose _id field, which contains the resume token, was modified by the pipeline. Modifying the _id field of an event makes it impossible to resume the stream from that point. Only transformations that retain the unmodified _id field are allowed.",
      );
    return event;
  }

  /** Throws 10334 for an event that is too large. */
  #fitting(event: Uint8Array): Uint8Array {
    if (event.length > eventMaxBytes)
      throw new EngineError(
        10_334,
        "BSONObjectTooLarge",
        `BSONObj size: ${event.length} is invalid. Size must be between 0 and ${eventMaxBytes}`,
      );
    return event;
  }
}

/** What a client must not try again. */
function fatal(message: string): EngineError {
  return new EngineError(280, "ChangeStreamFatalError", message, ["NonResumableChangeStreamError"]);
}
