import { buildDocument } from "../bson/builder.ts";
import { writeInt32 } from "../bson/bytes.ts";
import { bsonType } from "../bson/types.ts";
import { int32Value, int64Value, documentValue, stringValue, timestampValue, Value } from "../bson/value.ts";
import { getField } from "../bson/walk.ts";
import type { ClusterTime } from "../engine.ts";

/** `i` insert, `u` update, `d` delete, `c` command, `n` nothing. */
export type OperationKind = "i" | "u" | "d" | "c" | "n";

/** An operation as an entry or a part of `applyOps` has it. */
export interface Operation {
  /** The fields `op`, `ns` and `ui`, without a document's frame. */
  readonly head: Uint8Array;
  readonly o: Uint8Array;
  readonly o2: Uint8Array | undefined;
  /** The document before it, where the collection keeps such; no part of the entry. */
  readonly preImage?: Uint8Array;
}

/** The session that an entry was written in, for retries and transactions. */
export interface EntrySession {
  /** 16 bytes of UUID, then whose it is. */
  readonly sessionId: Uint8Array;
  readonly transactionNumber: bigint;
}

/** What is told of a session's write besides the session. */
export interface EntryPlace {
  /** The statement of the command that the entry stands for; undefined for a transaction's. */
  readonly statementId: number | undefined;
  /** The entry before it of the same session and number; undefined for the first. */
  readonly previous: ClusterTime | undefined;
}

/** The one term of a set of one node, which never elects. */
export const term = 1n;

/** `ui` is the collection's UUID; left out for what is about no collection. */
export function operationHead(op: OperationKind, namespace: string, ui: Uint8Array | undefined): Uint8Array {
  const head = buildDocument([
    ["op", stringValue(op)],
    ["ns", stringValue(namespace)],
    ...(ui === undefined ? [] : [["ui", uuidValue(ui)] as const]),
  ]);
  return head.subarray(4, head.length - 1);
}

/** Fields of a session at the start of an entry. */
export function sessionHead({ sessionId, transactionNumber }: EntrySession): Uint8Array {
  const fields = buildDocument([
    [
      "lsid",
      documentValue(
        buildDocument([
          ["id", uuidValue(sessionId.subarray(0, 16))],
          ["uid", binaryValue(0, sessionId.subarray(16))],
        ]),
      ),
    ],
    ["txnNumber", int64Value(transactionNumber)],
  ]);
  return fields.subarray(4, fields.length - 1);
}

/** `{op, ns, ui, o, o2}`, a part of `applyOps`. */
export function innerOperation({ head, o, o2 }: Operation): Uint8Array {
  return framed([head, oName, o, ...(o2 === undefined ? noBytes : [o2Name, o2])]);
}

/** A whole entry, with MongoDB's fields in MongoDB's order. */
export function entryOf(
  { head, o, o2 }: Operation,
  time: ClusterTime,
  wallMs: number,
  session: { readonly head: Uint8Array; readonly place: EntryPlace } | undefined,
): Uint8Array {
  const tail = timeTail(time, wallMs);
  const main = o2 === undefined ? [head, oName, o] : [head, oName, o, o2Name, o2];
  if (session === undefined) return framed([...main, tail]);
  const { statementId, previous } = session.place;
  const statement = statementId === undefined ? [] : [fieldsOnly([["stmtId", int32Value(statementId)]])];
  return framed([session.head, ...main, ...statement, tail, previousField(previous)]);
}

/** `{_id}` of a document, which has it first. */
export function idDocument(document: Uint8Array): Uint8Array {
  return buildDocument([["_id", getField(document, "_id") as Value]]);
}

export function uuidValue(uuid: Uint8Array): Value {
  return binaryValue(4, uuid);
}

function binaryValue(subtype: number, content: Uint8Array): Value {
  const bytes = new Uint8Array(5 + content.length);
  writeInt32(bytes, 0, content.length);
  bytes[4] = subtype;
  bytes.set(content, 5);
  return new Value(bsonType.binData, bytes);
}

const oName = Uint8Array.of(bsonType.object, 0x6f, 0);
const o2Name = Uint8Array.of(bsonType.object, 0x6f, 0x32, 0);
const noBytes: readonly Uint8Array[] = [];
const end = Uint8Array.of(0);

/** Fields as a document. */
function framed(fields: readonly Uint8Array[]): Uint8Array {
  const length = new Uint8Array(4);
  const document = Buffer.concat([length, ...fields, end]);
  writeInt32(document, 0, document.length);
  return document;
}

/** `ts`, `t`, `v`, `wall`; the places of the first and the last are written for each entry. */
const tailTemplate = fieldsOnly([
  ["ts", timestampValue(0, 0)],
  ["t", int64Value(term)],
  ["v", int64Value(2n)],
  ["wall", new Value(bsonType.date, new Uint8Array(8))],
]);

function timeTail({ seconds, increment }: ClusterTime, wallMs: number): Uint8Array {
  const tail = tailTemplate.slice();
  writeInt32(tail, 4, increment);
  writeInt32(tail, 8, seconds);
  writeInt32(tail, tail.length - 8, wallMs % 2 ** 32);
  writeInt32(tail, tail.length - 4, Math.floor(wallMs / 2 ** 32));
  return tail;
}

function previousField(previous: ClusterTime | undefined): Uint8Array {
  const time = previous ?? { seconds: 0, increment: 0 };
  const opTime = buildDocument([
    ["ts", timestampValue(time.seconds, time.increment)],
    ["t", int64Value(previous === undefined ? -1n : term)],
  ]);
  return fieldsOnly([["prevOpTime", documentValue(opTime)]]);
}

function fieldsOnly(fields: readonly (readonly [string, Value])[]): Uint8Array {
  const document = buildDocument(fields);
  return document.subarray(4, document.length - 1);
}
