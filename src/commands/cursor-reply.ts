import {
  type ClusterTime,
  type EngineCursor,
  EngineError,
  arrayValue,
  documentValue,
  int64Value,
  objectValue,
  stringValue,
  timestampValue,
  type Value,
} from "../engine/index.ts";
import type { CommandContext, Reply } from "./define-command.ts";
import type { Parameters } from "./parameters.ts";

/** Bytes of documents in one reply; the rest of 16 MiB is for the reply's own fields. */
const batchMaxBytes = 16 * 1024 * 1024 - 16_384;
const firstBatchDefault = 101;

/** `batchSize` of a command; undefined when it leaves that to the server. */
export function batchSizeOf(parameters: Parameters): number | undefined {
  return parameters.whole("batchSize", 0);
}

/** The first batch of a cursor, and its id when there is more. */
export async function firstBatch(
  cursor: EngineCursor,
  options: {
    readonly namespace: string;
    readonly batchSize: number | undefined;
    readonly singleBatch: boolean;
    readonly neverIdle: boolean;
    readonly atClusterTime: ClusterTime | undefined;
  },
  context: CommandContext,
): Promise<Reply> {
  const maxDocuments = options.batchSize ?? firstBatchDefault;
  const documents =
    maxDocuments === 0 ? [] : await cursor.next({ maxDocuments, maxBytes: batchMaxBytes }, context.signal);
  if (options.singleBatch) cursor.close();
  const id = cursor.exhausted
    ? 0n
    : context.cursors.add(cursor, {
        namespace: options.namespace,
        userName: context.connection.user?.name ?? "",
        sessionId: context.sessionId,
        neverIdle: options.neverIdle,
      });
  const fields: [string, Value][] = [
    ["firstBatch", arrayValue(documents.map(documentValue))],
    ["id", int64Value(id)],
    ["ns", stringValue(options.namespace)],
  ];
  if (options.atClusterTime !== undefined)
    fields.push(["atClusterTime", timestampValue(options.atClusterTime.seconds, options.atClusterTime.increment)]);
  return [["cursor", objectValue(fields)]];
}

/** The next batch. */
export async function nextBatch(
  cursor: EngineCursor,
  id: bigint,
  namespace: string,
  batchSize: number | undefined,
  context: CommandContext,
): Promise<Reply> {
  const maxDocuments = batchSize === undefined || batchSize === 0 ? Number.POSITIVE_INFINITY : batchSize;
  const documents = await cursor.next({ maxDocuments, maxBytes: batchMaxBytes }, context.signal);
  return [
    [
      "cursor",
      objectValue([
        ["nextBatch", arrayValue(documents.map(documentValue))],
        ["id", int64Value(cursor.exhausted ? 0n : id)],
        ["ns", stringValue(namespace)],
      ]),
    ],
  ];
}

/** A list that is already in memory, as a cursor's only batch. Throws when it would not fit into a reply. */
export function wholeBatch(documents: readonly Uint8Array[], namespace: string): Reply {
  if (documents.reduce((sum, document) => sum + document.length, 0) > batchMaxBytes)
    throw new EngineError(10_334, "BSONObjectTooLarge", "the list is too large for one reply");
  return [
    [
      "cursor",
      objectValue([
        ["firstBatch", arrayValue(documents.map(documentValue))],
        ["id", int64Value(0n)],
        ["ns", stringValue(namespace)],
      ]),
    ],
  ];
}
