import {
  arrayValue,
  bsonType,
  type ClusterTime,
  type EngineCursor,
  int64Value,
  objectValue,
  stringValue,
  timestampValue,
  Value,
  writeInt32,
} from "../engine/index.ts";
import type { CommandContext, Reply } from "./define-command.ts";
import { Parameters } from "./parameters.ts";

/** Bytes of documents in one reply; the rest of 16 MiB is for the reply's own fields. */
const batchMaxBytes = 16 * 1024 * 1024 - 16_384;
const firstBatchDefault = 101;

/** `batchSize` of a command; undefined when it leaves that to the server. */
export function batchSizeOf(parameters: Parameters): number | undefined {
  return parameters.whole("batchSize", 0);
}

/** `cursor: {batchSize}` of the commands that have it there; undefined without a `cursor`. */
export function cursorOptionsOf(parameters: Parameters): { readonly batchSize: number | undefined } | undefined {
  const options = parameters.document("cursor");
  if (options === undefined) return undefined;
  const fields = Parameters.within(`${parameters.command}.cursor`, options);
  const batchSize = batchSizeOf(fields);
  fields.rejectUnknown();
  return { batchSize };
}

/** The first batch of a cursor, and its id when there is more. */
export async function firstBatch(
  cursor: EngineCursor,
  options: {
    readonly namespace: string;
    readonly batchSize: number | undefined;
    readonly singleBatch: boolean;
    readonly neverIdle: boolean;
    readonly awaitsData?: boolean | undefined;
    readonly atClusterTime: ClusterTime | undefined;
  },
  context: CommandContext,
): Promise<Reply> {
  const maxDocuments = options.batchSize ?? firstBatchDefault;
  const documents =
    maxDocuments === 0 ? [] : await cursor.next({ maxDocuments, maxBytes: batchMaxBytes }, context.signal);
  // For a client that has gone nothing is kept open.
  if (options.singleBatch || context.signal.aborted) cursor.close();
  context.signal.throwIfAborted();
  const id = cursor.exhausted
    ? 0n
    : context.cursors.add(cursor, {
        namespace: options.namespace,
        userName: context.connection.user?.name ?? "",
        sessionId: context.sessionId,
        transactionNumber: context.transaction?.number,
        neverIdle: options.neverIdle,
        awaitsData: options.awaitsData,
      });
  const { namespace, atClusterTime } = options;
  const { resumeToken } = cursor;
  return [["cursor", cursorValue("firstBatch", documents, { id, namespace, atClusterTime, resumeToken })]];
}

/** The next batch; one that has nothing yet is waited for. */
export async function nextBatch(
  cursor: EngineCursor,
  options: {
    readonly id: bigint;
    readonly namespace: string;
    readonly batchSize: number | undefined;
    readonly waitMs: number;
  },
  context: CommandContext,
): Promise<Reply> {
  const { id, namespace, batchSize } = options;
  const maxDocuments = batchSize === undefined || batchSize === 0 ? Number.POSITIVE_INFINITY : batchSize;
  const limits = { maxDocuments, maxBytes: batchMaxBytes };
  const { clock } = context.server;
  const untilMs = clock.monotonicMs() + options.waitMs;
  let documents = await cursor.next(limits, context.signal);
  while (documents.length === 0 && cursor.more !== undefined && !cursor.exhausted) {
    const leftMs = untilMs - clock.monotonicMs();
    if (leftMs <= 0) break;
    await cursor.more(leftMs, context.signal);
    documents = await cursor.next(limits, context.signal);
  }
  const about = { id: cursor.exhausted ? 0n : id, namespace, resumeToken: cursor.resumeToken };
  return [["cursor", cursorValue("nextBatch", documents, about)]];
}

/** A list that is already in memory, by a cursor like any other. */
export function listBatch(
  documents: readonly Uint8Array[],
  namespace: string,
  batchSize: number | undefined,
  context: CommandContext,
): Promise<Reply> {
  const options = {
    namespace,
    batchSize: batchSize ?? Number.POSITIVE_INFINITY,
    singleBatch: false,
    neverIdle: false,
    atClusterTime: undefined,
  };
  return firstBatch(new ListCursor(documents), options, context);
}

class ListCursor implements EngineCursor {
  #left: readonly Uint8Array[];

  constructor(documents: readonly Uint8Array[]) {
    this.#left = documents;
  }

  get exhausted(): boolean {
    return this.#left.length === 0;
  }

  async next(limits: { readonly maxDocuments: number; readonly maxBytes: number }): Promise<readonly Uint8Array[]> {
    let count = 0;
    let bytes = 0;
    for (const document of this.#left) {
      bytes += document.length;
      if (count > 0 && (count >= limits.maxDocuments || bytes > limits.maxBytes)) break;
      count += 1;
    }
    const taken = this.#left.slice(0, count);
    this.#left = this.#left.slice(count);
    return taken;
  }

  close(): void {
    this.#left = [];
  }
}

function cursorValue(
  batchName: string,
  documents: readonly Uint8Array[],
  {
    id,
    namespace,
    atClusterTime,
    resumeToken,
  }: {
    readonly id: bigint;
    readonly namespace: string;
    readonly atClusterTime?: ClusterTime | undefined;
    readonly resumeToken?: Value | undefined;
  },
): Value {
  const fields: [string, Value][] = [
    [batchName, documentsValue(documents)],
    ...(resumeToken === undefined ? [] : [["postBatchResumeToken", resumeToken] satisfies [string, Value]]),
    ["id", int64Value(id)],
    ["ns", stringValue(namespace)],
  ];
  if (atClusterTime !== undefined)
    fields.push(["atClusterTime", timestampValue(atClusterTime.seconds, atClusterTime.increment)]);
  return objectValue(fields);
}

/** Documents as an array, each copied once into a buffer of the right size. */
function documentsValue(documents: readonly Uint8Array[]): Value {
  if (documents.length === 0) return arrayValue([]);
  let size = 5;
  for (const [index, document] of documents.entries()) size += 2 + String(index).length + document.length;
  const bytes = Buffer.allocUnsafe(size);
  writeInt32(bytes, 0, size);
  let position = 4;
  for (const [index, document] of documents.entries()) {
    bytes[position] = bsonType.object;
    position += 1 + bytes.write(String(index), position + 1, "latin1");
    bytes[position] = 0;
    bytes.set(document, position + 1);
    position += 1 + document.length;
  }
  bytes[position] = 0;
  return new Value(bsonType.array, bytes);
}
