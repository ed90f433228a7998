import { hash } from "node:crypto";

/** Bytes that SHA-256 takes at once; HMAC pads its key to so many (RFC 2104). */
const hashBlockLength = 64;
/** Bytes hashed without a new buffer: a page or chunk is rarely longer. */
const scratchLength = 262_144;

/**
 * HMAC-SHA-256 under one key, made of two one-shot hashes: tens of thousands of chunks a second would each make a stream object with `createHmac`, which costs more than
 * the hash itself.
 */
export function createChunkId(key: Uint8Array): (bytes: Uint8Array) => Buffer {
  const inner = Buffer.alloc(hashBlockLength + scratchLength);
  const outer = Buffer.alloc(hashBlockLength + 32);
  for (let index = 0; index < hashBlockLength; index += 1) {
    inner[index] = (key[index] ?? 0) ^ 0x36;
    outer[index] = (key[index] ?? 0) ^ 0x5c;
  }
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
