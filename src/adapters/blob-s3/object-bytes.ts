import { createHash } from "node:crypto";
import { addAbortSignal, Readable } from "node:stream";
import { setImmediate as nextTurn } from "node:timers/promises";
import { WrongAnswer } from "./s3-failure.ts";

/** Bytes hashed before others get their turn. */
const hashedAtOnceBytes = 524_288;

/** Pieces of memory, one after the other: an object, or a part of one. */
export interface Pieces {
  readonly pieces: readonly Uint8Array[];
  readonly sizeBytes: number;
}

export function piecesOf(parts: readonly Uint8Array[]): Pieces {
  return { pieces: parts, sizeBytes: parts.reduce((sum, { length }) => sum + length, 0) };
}

/** Bytes `from` to before `to`; nothing is copied. */
export function sliceOf({ pieces }: Pieces, from: number, to: number): Pieces {
  const inside: Uint8Array[] = [];
  let position = 0;
  for (const piece of pieces) {
    const part = piece.subarray(Math.max(0, from - position), Math.max(0, to - position));
    if (part.length > 0) inside.push(part);
    position += piece.length;
  }
  return piecesOf(inside);
}

/** SHA-256. */
export async function hashOf({ pieces }: Pieces): Promise<Buffer> {
  const hash = createHash("sha256");
  let sinceTurn = 0;
  for (const piece of pieces)
    for (let from = 0; from < piece.length; from += hashedAtOnceBytes) {
      const slice = piece.subarray(from, from + hashedAtOnceBytes);
      hash.update(slice);
      sinceTurn += slice.length;
      if (sinceTurn < hashedAtOnceBytes) continue;
      sinceTurn = 0;
      await nextTurn();
    }
  return hash.digest();
}

/** A body that can be sent once. */
export function bodyOf({ pieces, sizeBytes }: Pieces): Readable | Buffer {
  // A stream without bytes would be sent in chunks, which S3 does not take.
  return sizeBytes === 0 ? Buffer.alloc(0) : Readable.from(pieces);
}

/** Reads exactly `sizeBytes`, and compares their SHA-256 where one is known. Throws `WrongAnswer`. */
export async function readWhole(
  body: unknown,
  sizeBytes: number,
  hash: string | undefined,
  signal: AbortSignal,
): Promise<Buffer> {
  if (!(body instanceof Readable)) throw new WrongAnswer("the answer has no body");
  const bytes = Buffer.allocUnsafeSlow(sizeBytes);
  const hashing = hash === undefined ? undefined : createHash("sha256");
  let position = 0;
  for await (const chunk of addAbortSignal(signal, body) as AsyncIterable<Buffer>) {
    if (position + chunk.length > sizeBytes) throw new WrongAnswer(`more than ${sizeBytes} bytes came`);
    bytes.set(chunk, position);
    hashing?.update(chunk);
    const before = position;
    position += chunk.length;
    if (Math.floor(before / hashedAtOnceBytes) !== Math.floor(position / hashedAtOnceBytes)) await nextTurn();
  }
  if (position !== sizeBytes) throw new WrongAnswer(`${position} bytes came, and not ${sizeBytes}`);
  if (hashing !== undefined && hashing.digest("hex") !== hash)
    throw new WrongAnswer("the bytes are not those that were put: their SHA-256 is another", true);
  return bytes;
}

export function areSame({ pieces, sizeBytes }: Pieces, other: Uint8Array): boolean {
  if (sizeBytes !== other.length) return false;
  let position = 0;
  for (const piece of pieces) {
    if (Buffer.compare(piece, other.subarray(position, position + piece.length)) !== 0) return false;
    position += piece.length;
  }
  return true;
}
