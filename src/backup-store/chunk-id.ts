import { hash } from "node:crypto";

/** Bytes that SHA-256 takes at once; HMAC pads its key to so many (RFC 2104). */
export const hashBlockLength = 64;
export const chunkIdLength = 32;
/** Bytes hashed without a new buffer: a page or chunk is rarely longer. */
const scratchLength = 262_144;

/**
 * HMAC-SHA-256 under one key, made of two one-shot hashes: tens of thousands of chunks a second would each make a stream object with `createHmac`, which costs more than
 * the hash itself.
 */
export function createChunkId(key: Uint8Array): (bytes: Uint8Array) => Buffer {
  const inner = Buffer.concat([padOf(key, 0x36)], hashBlockLength + scratchLength);
  const outer = Buffer.concat([padOf(key, 0x5c)], hashBlockLength + chunkIdLength);
  const pad = Buffer.from(inner.subarray(0, hashBlockLength));
  return (bytes) => {
    let padded: Buffer;
    if (bytes.length <= scratchLength) {
      inner.set(bytes, hashBlockLength);
      padded = inner.subarray(0, hashBlockLength + bytes.length);
    } else padded = Buffer.concat([pad, bytes]);
    outer.set(hash("sha256", padded, "buffer"), hashBlockLength);
    return hash("sha256", outer, "buffer");
  };
}

/**
 * The same for bytes from `start` to `end` of a room that has `hashBlockLength` bytes to spare before them, which are overwritten: nothing is copied. The id is written to `ids` at
 * `at`. Digests go through strings of one character a byte, since a Buffer for each costs a fifth of all.
 */
export function createChunkIdInPlace(
  key: Uint8Array,
): (room: Buffer, start: number, end: number, ids: Buffer, at: number) => void {
  const pad = padOf(key, 0x36);
  const outer = Buffer.concat([padOf(key, 0x5c)], hashBlockLength + chunkIdLength);
  return (room, start, end, ids, at) => {
    room.set(pad, start - hashBlockLength);
    outer.write(hash("sha256", room.subarray(start - hashBlockLength, end), "binary"), hashBlockLength, "binary");
    ids.write(hash("sha256", outer, "binary"), at, "binary");
  };
}

function padOf(key: Uint8Array, byte: number): Buffer {
  return Buffer.from(Array.from({ length: hashBlockLength }, (_, index) => (key[index] ?? 0) ^ byte));
}
