import { readInt32, validateDocument, writeInt32 } from "../engine/index.ts";

/** Longest message, header included (wire protocol). */
export const messageSizeMaxBytes = 48_000_000;
export const headerLength = 16;

const opReply = 1;
const opQuery = 2004;
const opMsg = 2013;

const checksumPresent = 1;
const moreToCome = 2;

/** A command as it came in. */
export interface WireRequest {
  readonly requestId: number;
  /** The legacy handshake is answered by OP_REPLY. */
  readonly legacy: boolean;
  /** The client does not wait for an answer. */
  readonly moreToCome: boolean;
  /** The command document; its bytes are the request's own. */
  readonly body: Uint8Array;
  /** Documents sent beside it, by the name they would have in it. */
  readonly sequences: ReadonlyMap<string, readonly Uint8Array[]>;
  /** Database of a legacy request; OP_MSG has it in the body. */
  readonly database: string | undefined;
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
  const requestId = readInt32(message, 4);
  const opCode = readInt32(message, 12);
  if (opCode === opMsg) return readOpMsg(message, requestId);
  if (opCode === opQuery) return readOpQuery(message, requestId);
  throw new ProtocolError(`operation code ${opCode} is not served`);
}

function readOpMsg(message: Uint8Array, requestId: number): WireRequest {
  if (message.length < headerLength + 5) throw new ProtocolError("a message is too short");
  const flags = readInt32(message, headerLength);
  // The lower 16 bits must be understood (wire protocol, "OP_MSG").
  if ((flags & 0xffff & ~(checksumPresent | moreToCome)) !== 0) throw new ProtocolError(`flags ${flags} are not known`);
  const end = (flags & checksumPresent) === 0 ? message.length : message.length - 4;
  if ((flags & checksumPresent) !== 0 && crc32c(message.subarray(0, end)) !== readInt32(message, end) >>> 0)
    throw new ProtocolError("a checksum is wrong");
  let body: Uint8Array | undefined;
  const sequences = new Map<string, readonly Uint8Array[]>();
  let position = headerLength + 4;
  while (position < end) {
    const kind = message[position];
    position += 1;
    if (kind === 0) {
      if (body !== undefined) throw new ProtocolError("a message has two bodies");
      body = documentAt(message, position, end);
      position += body.length;
    } else if (kind === 1) {
      position = readSequence(message, position, end, sequences);
    } else {
      throw new ProtocolError(`section kind ${kind} is not known`);
    }
  }
  if (body === undefined) throw new ProtocolError("a message has no body");
  return { requestId, legacy: false, moreToCome: (flags & moreToCome) !== 0, body, sequences, database: undefined };
}

function readSequence(
  message: Uint8Array,
  start: number,
  end: number,
  sequences: Map<string, readonly Uint8Array[]>,
): number {
  const size = start + 4 <= end ? readInt32(message, start) : 0;
  const sequenceEnd = start + size;
  const nameEnd = message.indexOf(0, start + 4);
  if (size < 5 || sequenceEnd > end || nameEnd === -1 || nameEnd >= sequenceEnd)
    throw new ProtocolError("a document sequence is malformed");
  const name = new TextDecoder().decode(message.subarray(start + 4, nameEnd));
  if (sequences.has(name)) throw new ProtocolError("a document sequence comes twice");
  const documents: Uint8Array[] = [];
  for (let position = nameEnd + 1; position < sequenceEnd;) {
    const document = documentAt(message, position, sequenceEnd);
    documents.push(document);
    position += document.length;
  }
  sequences.set(name, documents);
  return sequenceEnd;
}

function readOpQuery(message: Uint8Array, requestId: number): WireRequest {
  const nameEnd = message.indexOf(0, headerLength + 4);
  if (nameEnd === -1 || nameEnd + 9 >= message.length) throw new ProtocolError("a query is malformed");
  const name = new TextDecoder().decode(message.subarray(headerLength + 4, nameEnd));
  if (!name.endsWith(".$cmd")) throw new ProtocolError("OP_QUERY is only served for the handshake");
  const body = documentAt(message, nameEnd + 9, message.length);
  return { requestId, legacy: true, moreToCome: false, body, sequences: new Map(), database: name.slice(0, -5) };
}

function documentAt(message: Uint8Array, start: number, end: number): Uint8Array {
  const length = start + 5 <= end ? readInt32(message, start) : 0;
  if (length < 5 || start + length > end) throw new ProtocolError("a document reaches past its message");
  const document = message.subarray(start, start + length);
  try {
    validateDocument(document);
  } catch (error) {
    throw new ProtocolError((error as Error).message);
  }
  return document;
}

/** The answer to a request, as the bytes to send. */
export function writeReply(request: WireRequest, requestId: number, document: Uint8Array): Uint8Array {
  const prefix = request.legacy ? 20 : 5;
  const message = new Uint8Array(headerLength + prefix + document.length);
  writeInt32(message, 0, message.length);
  writeInt32(message, 4, requestId);
  writeInt32(message, 8, request.requestId);
  writeInt32(message, 12, request.legacy ? opReply : opMsg);
  if (request.legacy) {
    // Flags: await capable. Cursor id and starting position stay zero.
    writeInt32(message, headerLength, 8);
    writeInt32(message, headerLength + 16, 1);
  }
  message.set(document, headerLength + prefix);
  return message;
}

const crcTable = Uint32Array.from({ length: 256 }, (_, index) => {
  let crc = index;
  for (let bit = 0; bit < 8; bit += 1) crc = (crc & 1) === 1 ? (crc >>> 1) ^ 0x82_f6_3b_78 : crc >>> 1;
  return crc;
});

/** CRC-32C (Castagnoli), as OP_MSG's checksum. */
export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffff_ffff;
  for (const byte of bytes) crc = (crcTable[(crc ^ byte) & 0xff] as number) ^ (crc >>> 8);
  return (crc ^ 0xffff_ffff) >>> 0;
}
