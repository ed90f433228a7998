import { createCipheriv, createDecipheriv, createHmac, createSecretKey, hkdfSync } from "node:crypto";
import type { Ids } from "../../ports/ids.ts";
import type { Sealer } from "../../ports/sealer.ts";

const nonceLength = 12;
const tagLength = 16;

/**
 * AES-256-GCM and HMAC-SHA-256 under keys derived (HKDF-SHA-256) from one 32-byte master key. A sealed secret is nonce (12 bytes), ciphertext, tag (16 bytes).
 */
export function createAesSealer(masterKey: Uint8Array, ids: Pick<Ids, "randomBytes">): Sealer {
  const derive = (info: string): Uint8Array =>
    new Uint8Array(hkdfSync("sha256", masterKey, new Uint8Array(), info, 32));
  const sealKey = derive("telamon metadata seal v1");
  // As a key object once: making one for each hash costs three times the hash.
  const hashKey = createSecretKey(derive("telamon metadata hash v1"));
  return {
    seal(plain, purpose) {
      const nonce = ids.randomBytes(nonceLength);
      const cipher = createCipheriv("aes-256-gcm", sealKey, nonce).setAAD(Buffer.from(purpose));
      return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
    },
    unseal(sealed, purpose) {
      if (sealed.length < nonceLength + tagLength) throw new Error("a sealed secret is too short to be one");
      const end = sealed.length - tagLength;
      const decipher = createDecipheriv("aes-256-gcm", sealKey, sealed.subarray(0, nonceLength))
        .setAAD(Buffer.from(purpose))
        .setAuthTag(sealed.subarray(end));
      return Buffer.concat([decipher.update(sealed.subarray(nonceLength, end)), decipher.final()]);
    },
    hash(secret, purpose) {
      return createHmac("sha256", hashKey).update(`${purpose}\0${secret}`).digest();
    },
  };
}
