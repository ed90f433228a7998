import { isUtf8 } from "node:buffer";
import { EngineError } from "../engine-error.ts";
import { cstringEnd, readInt32 } from "./bytes.ts";
import { bsonType } from "./types.ts";

/** Deepest nesting of documents and arrays (manual, "MongoDB Limits"). */
export const nestingDepthMax = 180;

/** Throws 22 InvalidBSON unless the bytes are exactly one well-formed document: lengths, types, terminators, nesting, and UTF-8 in names and texts. */
export function validateDocument(bytes: Uint8Array): void {
  checkWhole(bytes, true);
}

/** As `validateDocument`, without looking at texts: for what was made of documents that may be older than the check. */
export function validateStructure(bytes: Uint8Array): void {
  checkWhole(bytes, false);
}

function checkWhole(bytes: Uint8Array, checksText: boolean): void {
  if (bytes.length < 5) throw invalid("a document has at least 5 bytes");
  if (readInt32(bytes, 0) !== bytes.length) throw invalid("the length of a document is not that of its bytes");
  checkDocument(bytes, 0, bytes.length, 1, checksText);
}

function checkDocument(bytes: Uint8Array, start: number, limit: number, depth: number, checksText: boolean): number {
  if (depth > nestingDepthMax)
    throw new EngineError(15, "Overflow", `document exceeds the maximum nesting depth of ${nestingDepthMax}`);
  if (start + 5 > limit) throw invalid("a document is cut short");
  const end = start + readInt32(bytes, start);
  if (end < start + 5 || end > limit || bytes[end - 1] !== 0)
    throw invalid("a document's length or terminator is wrong");
  let position = start + 4;
  while (position < end - 1) {
    const type = bytes[position] as number;
    const nameEnd = cstringEnd(bytes, position + 1, end - 1);
    if (nameEnd === -1) throw invalid("a field name has no end");
    if (checksText) checkText(bytes, position + 1, nameEnd, "a field name");
    position = checkValue(type, bytes, nameEnd + 1, end - 1, depth, checksText);
  }
  if (position !== end - 1) throw invalid("a field reaches past its document");
  return end;
}

function checkValue(
  type: number,
  bytes: Uint8Array,
  start: number,
  limit: number,
  depth: number,
  checksText: boolean,
): number {
  const fixed = fixedLengths[type];
  if (fixed !== undefined) {
    if (start + fixed > limit) throw invalid("a value is cut short");
    if (type === bsonType.bool && (bytes[start] as number) > 1) throw invalid("a boolean is neither 0 nor 1");
    return start + fixed;
  }
  switch (type) {
    case bsonType.string:
    case bsonType.javascript:
    case bsonType.symbol:
      return checkString(bytes, start, limit, checksText);
    case bsonType.object:
    case bsonType.array:
      return checkDocument(bytes, start, limit, depth + 1, checksText);
    case bsonType.binData: {
      if (start + 5 > limit) throw invalid("binary data is cut short");
      const length = readInt32(bytes, start);
      if (length < 0 || start + 5 + length > limit) throw invalid("binary data has a wrong length");
      // Subtype 2 carries its length twice.
      if (bytes[start + 4] === 2 && (length < 4 || readInt32(bytes, start + 5) !== length - 4))
        throw invalid("old binary data has a wrong inner length");
      return start + 5 + length;
    }
    case bsonType.regex: {
      const patternEnd = cstringEnd(bytes, start, limit);
      const optionsEnd = patternEnd === -1 ? -1 : cstringEnd(bytes, patternEnd + 1, limit);
      if (optionsEnd === -1) throw invalid("a regular expression has no end");
      if (checksText) checkText(bytes, start, optionsEnd, "a regular expression");
      return optionsEnd + 1;
    }
    case bsonType.dbPointer: {
      const end = checkString(bytes, start, limit, checksText) + 12;
      if (end > limit) throw invalid("a DBPointer is cut short");
      return end;
    }
    case bsonType.javascriptWithScope: {
      if (start + 14 > limit) throw invalid("code with scope is cut short");
      const end = start + readInt32(bytes, start);
      if (end < start + 14 || end > limit) throw invalid("code with scope has a wrong length");
      const scopeStart = checkString(bytes, start + 4, end, checksText);
      if (checkDocument(bytes, scopeStart, end, depth + 1, checksText) !== end)
        throw invalid("code with scope has a wrong inner length");
      return end;
    }
    default:
      throw invalid(`unknown type ${type}`);
  }
}

function checkString(bytes: Uint8Array, start: number, limit: number, checksText: boolean): number {
  if (start + 5 > limit) throw invalid("a string is cut short");
  const end = start + 4 + readInt32(bytes, start);
  if (end < start + 5 || end > limit || bytes[end - 1] !== 0) throw invalid("a string's length or terminator is wrong");
  if (checksText) checkText(bytes, start + 4, end - 1, "a string");
  return end;
}

/** Text of this many bytes is handed to native code, which short text, as nearly all is, would pay more for than it saves. */
const nativeFrom = 64;

function checkText(bytes: Uint8Array, start: number, end: number, what: string): void {
  if (end - start < nativeFrom) {
    let position = start;
    while (position < end && (bytes[position] as number) < 0x80) position += 1;
    if (position === end) return;
  }
  if (!isUtf8(bytes.subarray(start, end))) throw invalid(`${what} is not valid UTF-8`);
}

const fixedLengths: Readonly<Record<number, number>> = {
  [bsonType.double]: 8,
  [bsonType.undefined]: 0,
  [bsonType.objectId]: 12,
  [bsonType.bool]: 1,
  [bsonType.date]: 8,
  [bsonType.null]: 0,
  [bsonType.int]: 4,
  [bsonType.timestamp]: 8,
  [bsonType.long]: 8,
  [bsonType.decimal]: 16,
  [bsonType.minKey]: 0,
  [bsonType.maxKey]: 0,
};

function invalid(reason: string): EngineError {
  return new EngineError(22, "InvalidBSON", `invalid BSON: ${reason}`);
}
