import { objectValue } from "../bson/builder.ts";
import { bsonType } from "../bson/types.ts";
import { stringValue, textOf, type Value } from "../bson/value.ts";
import { getField } from "../bson/walk.ts";
import type { ClusterTime } from "../engine.ts";
import { EngineError, failedToParse, located } from "../engine-error.ts";
import { incrementsPerSecond, rowIdOfTime, timeOfRowId } from "../oplog/time.ts";

/** What a token stands behind: an event, the end of a stream, or everything up to a time. */
export type TokenKind = "event" | "invalidate" | "time";

/** A place in the operation log, in the order of events. */
export interface StreamPosition {
  /** Row of the entry. */
  readonly rowId: number;
  /** The operation within the entry, of transactions. */
  readonly index: number;
  readonly kind: TokenKind;
  /** The part that was read last of an event that came in parts, counted from 0. */
  readonly fragment?: number;
}

const kinds: readonly TokenKind[] = ["event", "invalidate", "time"];
const lastIndex = 0xffff_ffff;
/** First byte of every token, so that tokens can change their form. */
const form = 0x01;
const tokenBytes = 14;
const fragmentBytes = 4;

/** Everything up to and with a row. */
export function behind(rowId: number): StreamPosition {
  return { rowId, index: lastIndex, kind: "time" };
}

/** Everything before a time. */
export function before(time: ClusterTime): StreamPosition {
  return behind(rowIdOfTime(time) - 1);
}

export function comparePositions(one: StreamPosition, other: StreamPosition): number {
  return one.rowId - other.rowId || one.index - other.index || kinds.indexOf(one.kind) - kinds.indexOf(other.kind);
}

/** `{_data}`: form, seconds, increment, index and kind, and the number of a fragment, in hexadecimal digits, so that tokens are in the order of what they stand for (manual, "Resume Tokens"). */
export function tokenOf({ rowId, index, kind, fragment }: StreamPosition): Value {
  const { seconds, increment } = timeOfRowId(rowId);
  const bytes = Buffer.alloc(fragment === undefined ? tokenBytes : tokenBytes + fragmentBytes);
  bytes[0] = form;
  bytes.writeUInt32BE(seconds, 1);
  bytes.writeUInt32BE(increment, 5);
  bytes.writeUInt32BE(index, 9);
  bytes[13] = kinds.indexOf(kind);
  if (fragment !== undefined) bytes.writeUInt32BE(fragment, tokenBytes);
  return objectValue([["_data", stringValue(bytes.toString("hex").toUpperCase())]]);
}

/** Throws 40647, 9 and 260 for what is no token of ours. */
export function positionOf(token: Value, field: string): StreamPosition {
  if (token.type !== bsonType.object)
    throw new EngineError(14, "TypeMismatch", `BSON field '$changeStream.${field}' must be an object`);
  const data = getField(token.bytes(), "_data");
  if (data?.type !== bsonType.string) throw located(40_647, "Bad resume token: _data of missing or of wrong type");
  const text = textOf(data);
  if (!/^([0-9A-Fa-f]{2})*$/.test(text)) throw failedToParse("resume token string was not a valid hex string");
  const bytes = Buffer.from(text, "hex");
  const kind = kinds[bytes[13] ?? -1];
  const isFragment = bytes.length === tokenBytes + fragmentBytes && kind === "event";
  if (
    (bytes.length !== tokenBytes && !isFragment) ||
    bytes[0] !== form ||
    kind === undefined ||
    bytes.readUInt32BE(5) >= incrementsPerSecond
  )
    throw new EngineError(260, "InvalidResumeToken", "the resume token is none of this server");
  const time = { seconds: bytes.readUInt32BE(1), increment: bytes.readUInt32BE(5) };
  const position = { rowId: rowIdOfTime(time), index: bytes.readUInt32BE(9), kind };
  return isFragment ? { ...position, fragment: bytes.readUInt32BE(tokenBytes) } : position;
}
