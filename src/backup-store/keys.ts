import { hkdfSync } from "node:crypto";
import { createChunkId } from "./chunk-id.ts";

/** Length of a repository's id in bytes. */
export const repositoryIdLength = 16;

/** Keys of one repository, all derived (HKDF-SHA-256, the repository's id as salt) from its 32-byte master key. */
export interface StoreKeys {
  /** Id of a chunk: HMAC-SHA-256 of its bytes. */
  chunkId(bytes: Uint8Array): Buffer;
  /** The key of those ids. */
  readonly chunkIdKey: Uint8Array;
  /** Four 32-bit numbers that key the hash deciding where chunks end. */
  readonly boundary: readonly [number, number, number, number];
  /** AES-256 key of one pack. */
  packKey(packId: Uint8Array): Uint8Array;
  /** AES-256 keys of the objects that are sealed as one. */
  readonly manifestKey: Uint8Array;
  readonly catalogueKey: Uint8Array;
  readonly markKey: Uint8Array;
}

/** Ids of packs whose keys are kept at hand. */
const packKeysKept = 1024;

export function deriveKeys(masterKey: Uint8Array, repositoryId: Uint8Array): StoreKeys {
  if (masterKey.length !== 32) throw new Error("a master key has 32 bytes");
  if (repositoryId.length !== repositoryIdLength) throw new Error("a repository's id has 16 bytes");
  const derive = (info: string | Uint8Array, length: number): Uint8Array =>
    new Uint8Array(hkdfSync("sha256", masterKey, repositoryId, info, length));
  const chunkIdKey = derive("telamon store v1 chunk id", 32);
  const boundary = new DataView(derive("telamon store v1 boundary", 16).buffer);
  const packKeys = new Map<string, Uint8Array>();
  return {
    chunkId: createChunkId(chunkIdKey),
    chunkIdKey,
    boundary: [
      boundary.getUint32(0, true),
      boundary.getUint32(4, true),
      boundary.getUint32(8, true),
      boundary.getUint32(12, true),
    ],
    packKey(packId) {
      const name = Buffer.from(packId).toString("latin1");
      const known = packKeys.get(name);
      if (known !== undefined) return known;
      const made = derive(Buffer.concat([Buffer.from("telamon store v1 pack "), packId]), 32);
      if (packKeys.size >= packKeysKept) packKeys.clear();
      packKeys.set(name, made);
      return made;
    },
    manifestKey: derive("telamon store v1 manifest", 32),
    catalogueKey: derive("telamon store v1 catalogue", 32),
    markKey: derive("telamon store v1 mark", 32),
  };
}
