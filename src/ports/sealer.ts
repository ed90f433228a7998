/** Keeps small secrets unreadable at rest. */
export interface Sealer {
  /** Encrypts and authenticates; `purpose` is bound to the result, so that a sealed thing cannot be used as another. */
  seal(plain: Uint8Array, purpose: string): Uint8Array;
  /** Throws when the bytes were changed, sealed for another purpose or under another key. */
  unseal(sealed: Uint8Array, purpose: string): Uint8Array;
  /** Keyed hash (HMAC-SHA-256, 32 bytes) of a secret with enough randomness of its own, for look-up and comparison. */
  hash(secret: string, purpose: string): Uint8Array;
}
