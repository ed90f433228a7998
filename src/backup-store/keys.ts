import { createHmac, createSecretKey, hkdfSync } from "node:crypto";

/** Keys of one store, all derived (HKDF-SHA-256) from its 32-byte master key. */
export interface StoreKeys {
  /** Id of a chunk: HMAC-SHA-256 of its bytes. */
  chunkId(bytes: Uint8Array): Buffer;
  /** Four 32-bit numbers that key the hash deciding where chunks end. */
  readonly boundary: readonly [number, number, number, number];
  /** AES-256 key of one pack. */
  packKey(packId: Uint8Array): Uint8Array;
  /** AES-256 key of manifests. */
  readonly manifestKey: Uint8Array;
  /** Tells this key from another without telling the key. */
  readonly check: Uint8Array;
}

export function deriveKeys(masterKey: Uint8Array): StoreKeys {
  if (masterKey.length !== 32) throw new Error("a master key has 32 bytes");
  const derive = (info: string | Uint8Array, length: number): Uint8Array =>
    new Uint8Array(hkdfSync("sha256", masterKey, new Uint8Array(), info, length));
  const chunkKey = createSecretKey(derive("telamon store v1 chunk id", 32));
  const boundary = new DataView(derive("telamon store v1 boundary", 16).buffer);
  return {
    chunkId: (bytes) => createHmac("sha256", chunkKey).update(bytes).digest(),
    boundary: [
      boundary.getUint32(0, true),
      boundary.getUint32(4, true),
      boundary.getUint32(8, true),
      boundary.getUint32(12, true),
    ],
    packKey: (packId) => derive(Buffer.concat([Buffer.from("telamon store v1 pack "), packId]), 32),
    manifestKey: derive("telamon store v1 manifest", 32),
    check: derive("telamon store v1 check", 16),
  };
}
