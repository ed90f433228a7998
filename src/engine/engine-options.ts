import type { QuerySpaceOptions } from "./storage/query-space.ts";
import type { Warn } from "./validation.ts";
import type { Clock } from "./write-transaction.ts";

export interface EngineOptions extends QuerySpaceOptions {
  /** The data file; made when missing. */
  readonly path: string;
  readonly clock: Clock;
  /** Random bytes, for UUIDs of collections and `_id`s of upserts. */
  readonly randomBytes: (length: number) => Uint8Array;
  /** Told of documents that were written against a validator that only warns. */
  readonly warn?: Warn;
  /** Bytes of entries that the operation log keeps; `oplogDefaultMaxBytes` when left out. */
  readonly oplogMaxBytes?: number;
}
