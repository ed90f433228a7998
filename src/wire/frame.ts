import { setImmediate as nextTurn } from "node:timers/promises";
import { EngineError, readInt32, validateDocument, type Value, writeInt32 } from "../engine/index.ts";

/** Longest message, header included (wire protocol). */
export const messageSizeMaxBytes = 48_000_000;
export const headerLength = 16;
/** So much of a message is checked before others have their turn: a few milliseconds. One document, at most 16 MiB, is checked at once. */
export const stretchBytes = 1024 * 1024;
/** Longest command document: the longest user document and room for what is around it (BSONObjMaxInternalSize). */
const bodyMaxBytes = 16 * 1024 * 1024 + 16_384;

const opReply = 1;
const opQuery = 2004;
export const opMsg = 2013;

const checksumPresent = 1;
const moreToCome = 2;
const exhaustAllowed = 1 << 16;

/** A command as it came in. */
export interface WireRequest {
  readonly requestId: number;
  /** The legacy handshake is answered by OP_REPLY. */
  readonly legacy: boolean;
  /** The client does not wait for an answer. */
  readonly moreToCome: boolean;
  /** The client takes several answers to this one request. */
  readonly exhaustAllowed: boolean;
  /** The command document; its bytes are the request's own. */
  readonly body: Uint8Array;
  /** Documents sent beside it, by the name they would have in it. */
  readonly sequences: ReadonlyMap<string, readonly Uint8Array[]>;
  /** Database of a legacy request; OP_MSG has it in the body. */
  readonly database: string | undefined;
  /** Set when the message is framed well and yet cannot be run: to be answered, and nothing of the documents to be read. */
  readonly refusal: EngineError | undefined;
}

/** Bytes that are no message of the protocol: the connection cannot go on. */
export class ProtocolError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "ProtocolError";
  }
}

/** Reads one whole message. Throws `ProtocolError`. */
export function readMessage(message: Uint8Array): WireRequest {
  const reading = readingMessage(message);
  for (;;) {
    const step = reading.next();
    if (step.done === true) return step.value;
  }
}

/** Reads one whole message of any length, giving others their turn. Throws `ProtocolError`. */
export async function readLargeMessage(message: Uint8Array): Promise<WireRequest> {
  const reading = readingMessage(message);
  for (;;) {
    const step = reading.next();
    if (step.done === true) return step.value;
    await nextTurn();
  }
}

/** Reads a message; `undefined` is a good moment to give way to others. */
type Reading<Result> = Generator<undefined, Result, undefined>;

function* readingMessage(message: Uint8Array): Reading<WireRequest> {
  const requestId = readInt32(message, 4);
  const opCode = readInt32(message, 12);
  if (opCode === opMsg) return yield* readOpMsg(message, requestId);
  if (opCode === opQuery) return readOpQuery(message, requestId);
  throw new ProtocolError(`operation code ${opCode} is not served`);
}

function* readOpMsg(message: Uint8Array, requestId: number): Reading<WireRequest> {
  if (message.length < headerLength + 5) throw new ProtocolError("a message is too short");
  const flags = readInt32(message, headerLength);
  // The lower 16 bits must be understood (wire protocol, "OP_MSG").
  if ((flags & 0xffff & ~(checksumPresent | moreToCome)) !== 0) throw new ProtocolError(`flags ${flags} are not known`);
  const end = (flags & checksumPresent) === 0 ? message.length : message.length - 4;
  if ((flags & checksumPresent) !== 0) yield* requireChecksum(message, end);
  let body: Uint8Array | undefined;
  const sequences = new Map<string, readonly Uint8Array[]>();
  const checks = new DocumentChecks();
  let position = headerLength + 4;
  while (position < end) {
    const kind = message[position];
    position += 1;
    if (kind === 0) {
      if (body !== undefined) throw new ProtocolError("a message has two bodies");
      body = checks.documentAt(message, position, end);
      checks.limitBody(body);
      position += body.length;
    } else if (kind === 1) {
      position = yield* readSequence(message, position, end, sequences, checks);
    } else {
      throw new ProtocolError(`section kind ${kind} is not known`);
    }
  }
  if (body === undefined) throw new ProtocolError("a message has no body");
  return {
    requestId,
    legacy: false,
    moreToCome: (flags & moreToCome) !== 0,
    exhaustAllowed: (flags & exhaustAllowed) !== 0,
    body,
    sequences,
    database: undefined,
    refusal: checks.refusal,
  };
}

function* requireChecksum(message: Uint8Array, end: number): Reading<void> {
  let crc = 0;
  for (let position = 0; position < end; position += stretchBytes) {
    if (position > 0) yield undefined;
    crc = crc32c(message.subarray(position, Math.min(position + stretchBytes, end)), crc);
  }
  if (crc !== readInt32(message, end) >>> 0) throw new ProtocolError("a checksum is wrong");
}

function* readSequence(
  message: Uint8Array,
  start: number,
  end: number,
  sequences: Map<string, readonly Uint8Array[]>,
  checks: DocumentChecks,
): Reading<number> {
  const size = start + 4 <= end ? readInt32(message, start) : 0;
  const sequenceEnd = start + size;
  const nameEnd = message.indexOf(0, start + 4);
  if (size < 5 || sequenceEnd > end || nameEnd === -1 || nameEnd >= sequenceEnd)
    throw new ProtocolError("a document sequence is malformed");
  const name = new TextDecoder().decode(message.subarray(start + 4, nameEnd));
  if (sequences.has(name)) throw new ProtocolError("a document sequence comes twice");
  const documents: Uint8Array[] = [];
  let pausedAt = start;
  for (let position = nameEnd + 1; position < sequenceEnd;) {
    const document = checks.documentAt(message, position, sequenceEnd);
    documents.push(document);
    position += document.length;
    if (position - pausedAt < stretchBytes) continue;
    yield undefined;
    pausedAt = position;
  }
  sequences.set(name, documents);
  return sequenceEnd;
}

function readOpQuery(message: Uint8Array, requestId: number): WireRequest {
  const nameEnd = message.indexOf(0, headerLength + 4);
  if (nameEnd === -1 || nameEnd + 9 >= message.length) throw new ProtocolError("a query is malformed");
  const name = new TextDecoder().decode(message.subarray(headerLength + 4, nameEnd));
  if (!name.endsWith(".$cmd")) throw new ProtocolError("OP_QUERY is only served for the handshake");
  const checks = new DocumentChecks();
  const body = checks.documentAt(message, nameEnd + 9, message.length);
  return {
    requestId,
    legacy: true,
    moreToCome: false,
    exhaustAllowed: false,
    body,
    sequences: new Map(),
    database: name.slice(0, -5),
    refusal: checks.refusal,
  };
}

/** Finds documents and checks them. Malformed ones end the connection; what MongoDB's limits forbid is only refused. */
class DocumentChecks {
  refusal: EngineError | undefined;

  documentAt(message: Uint8Array, start: number, end: number): Uint8Array {
    const length = start + 5 <= end ? readInt32(message, start) : 0;
    if (length < 5 || start + length > end) throw new ProtocolError("a document reaches past its message");
    const document = message.subarray(start, start + length);
    try {
      validateDocument(document);
    } catch (error) {
      if (!(error instanceof EngineError) || error.codeName !== "Overflow")
        throw new ProtocolError((error as Error).message);
      this.refusal ??= error;
    }
    return document;
  }

  limitBody({ length }: Uint8Array): void {
    if (length > bodyMaxBytes)
      this.refusal ??= new EngineError(
        10_334,
        "BSONObjectTooLarge",
        `BSONObj size: ${length} is invalid. Size must be between 0 and ${bodyMaxBytes}`,
      );
  }
}

export interface ReplyFrame {
  readonly requestId: number;
  readonly responseTo: number;
  readonly legacy: boolean;
  /** Another answer follows without being asked for. */
  readonly moreToCome: boolean;
}

/** An answer as the bytes to send, written once into a buffer of its size. */
export function writeReply(frame: ReplyFrame, fields: readonly (readonly [string, Value])[]): Uint8Array {
  const prefix = headerLength + (frame.legacy ? 20 : 5);
  let documentLength = 5;
  for (const [name, value] of fields) documentLength += 2 + Buffer.byteLength(name) + value.end - value.start;
  const message = Buffer.allocUnsafe(prefix + documentLength);
  message.fill(0, 0, prefix);
  writeInt32(message, 0, message.length);
  writeInt32(message, 4, frame.requestId);
  writeInt32(message, 8, frame.responseTo);
  writeInt32(message, 12, frame.legacy ? opReply : opMsg);
  if (frame.legacy) {
    // Flags: await capable. Cursor id and starting position stay zero.
    writeInt32(message, headerLength, 8);
    writeInt32(message, headerLength + 16, 1);
  } else if (frame.moreToCome) {
    writeInt32(message, headerLength, moreToCome);
  }
  writeInt32(message, prefix, documentLength);
  let position = prefix + 4;
  for (const [name, value] of fields) {
    message[position] = value.type;
    position += 1 + message.write(name, position + 1);
    message[position] = 0;
    message.set(value.bytes(), position + 1);
    position += 1 + value.end - value.start;
  }
  message[position] = 0;
  return message;
}

const crcTable = Uint32Array.from({ length: 256 }, (_, index) => {
  let crc = index;
  for (let bit = 0; bit < 8; bit += 1) crc = (crc & 1) === 1 ? (crc >>> 1) ^ 0x82_f6_3b_78 : crc >>> 1;
  return crc;
});

/** CRC-32C (Castagnoli), as OP_MSG's checksum; `before` is that of the bytes before these. */
export function crc32c(bytes: Uint8Array, before: number = 0): number {
  let crc = before ^ 0xffff_ffff;
  for (const byte of bytes) crc = (crcTable[(crc ^ byte) & 0xff] as number) ^ (crc >>> 8);
  return (crc ^ 0xffff_ffff) >>> 0;
}
