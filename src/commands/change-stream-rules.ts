import {
  bsonType,
  elementsOf,
  emptyDocument,
  EngineError,
  fieldsOf,
  getField,
  int64Of,
  isTruthy,
  textOf,
  type Value,
} from "../engine/index.ts";
import type { CursorRegistry } from "./cursor-registry.ts";
import type { CommandContext } from "./define-command.ts";
import { requireAllowed } from "./privileges.ts";
import { notInTransaction } from "./transaction-fields.ts";

/** The argument of `$changeStream` when a pipeline begins with it. */
export function changeStreamOf([first]: readonly Uint8Array[]): Value | undefined {
  if (first === undefined) return undefined;
  const [stage] = [...fieldsOf(first)];
  return stage?.name === "$changeStream" ? stage.value : undefined;
}

/**
 * Throws 263 in a transaction, 72 for a read concern other than majority, and 13 unless the user may read all that is watched: the command itself was allowed by what it is
 * run on, and `allChangesForCluster` takes the right to read every database (manual, "Change Streams", access control).
 */
export function requireStreamRules(argument: Value, body: Uint8Array, main: Value, context: CommandContext): void {
  const concern = getField(body, "readConcern");
  const level = concern === undefined ? undefined : getField(concern.bytes(), "level");
  if (context.transaction !== undefined)
    throw notInTransaction("Stage $changeStream cannot run in a multi-document transaction.");
  if (level !== undefined && textOf(level) !== "majority")
    throw new EngineError(
      72,
      "InvalidOptions",
      `Aggregation stage $changeStream cannot run with a readConcern other than 'majority', or in a multi-document transaction. Current readConcern: { level: "${textOf(level)}" }`,
    );
  // What is no document is refused by the engine.
  const options = argument.type === bsonType.object ? argument.bytes() : emptyDocument;
  const wholeCluster = getField(options, "allChangesForCluster");
  if (wholeCluster !== undefined && isTruthy(wholeCluster))
    requireAllowed(
      context.connection.user?.credential,
      "find",
      { database: "", collection: undefined },
      { command: "aggregate", main, database: context.database },
    );
}

/** Whether a command opens a change stream or reads on in one. */
export function isWatching(body: Uint8Array, cursors: CursorRegistry): boolean {
  const [first] = fieldsOf(body);
  if (first?.name === "getMore")
    return first.value.type === bsonType.long && cursors.isChangeStream(int64Of(first.value));
  const pipeline = first?.name === "aggregate" ? getField(body, "pipeline") : undefined;
  if (pipeline?.type !== bsonType.array) return false;
  const stages = elementsOf(pipeline).filter(({ type }) => type === bsonType.object);
  return changeStreamOf(stages.map((stage) => stage.bytes())) !== undefined;
}
