/** A stored object as a listing shows it. */
export interface BlobEntry {
  readonly key: string;
  readonly sizeBytes: number;
}

/**
 * Write-once objects by key. Keys are `/`-separated segments of `[a-z0-9._-]`, at most 512 characters, no empty segment, no `.` or `..`.
 * Every adapter passes the same conformance suite (`test/conformance/blob-store.ts`).
 */
export interface BlobStore {
  /**
   * Stores `parts`, one after the other, as one object. Resolved means durable (file and folder fsynced, or the store's own acknowledgement)
   * and visible as a whole; nothing is visible before. Putting the same bytes again is fine; other bytes under a taken key throw `blob_exists`.
   */
  put(key: string, parts: readonly Uint8Array[]): Promise<void>;
  /**
   * The whole object, in memory that is the caller's, to give to another thread too. Throws `blob_not_found`, or `blob_damaged` when the store keeps a checksum and what it answers, again and again, is not what was put;
   * `getRange` then still answers what is there.
   */
  get(key: string): Promise<Uint8Array>;
  /** Exactly `lengthBytes` from `offset`, in memory that is the caller's. Throws `blob_not_found`, or `blob_range` when the object is shorter. */
  getRange(key: string, offset: number, lengthBytes: number): Promise<Uint8Array>;
  /** Undefined when there is none. */
  stat(key: string): Promise<BlobEntry | undefined>;
  /** Every object whose key starts with `prefix`, in no promised order. An error while listing is thrown, never read as "no more". */
  list(prefix: string): AsyncIterable<BlobEntry>;
  /** Removes the object; removing what is not there is fine. Resolved means durable. Throws `blob_locked` when the store keeps the object from being removed for some time. */
  delete(key: string): Promise<void>;
  /** Absent where the store keeps nothing from being deleted. */
  readonly lock?: BlobLock;
}

/** A store that refuses for some time to delete what was put, whoever asks. The suite of it is `test/conformance/blob-lock.ts`. */
export interface BlobLock {
  /** How long an object is locked from the time it was put. */
  readonly durationMs: number;
  /** Until when an object is locked, milliseconds since the epoch; undefined when it is not. Throws `blob_not_found`. */
  lockedUntilMs(key: string): Promise<number | undefined>;
  /** Locks an object until that time at least: one that is locked for longer stays so. Throws `blob_not_found`. */
  extend(key: string, untilMs: number): Promise<void>;
}

export type BlobErrorCode =
  | "blob_exists"
  | "blob_not_found"
  | "blob_range"
  | "blob_damaged"
  | "blob_locked"
  | "blob_key_invalid"
  | "blob_store_full"
  | "blob_store_failed";

/** The only error an adapter throws. */
export class BlobError extends Error {
  readonly code: BlobErrorCode;

  constructor(code: BlobErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = "BlobError";
    this.code = code;
  }
}
