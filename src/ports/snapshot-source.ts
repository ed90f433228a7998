import type { CollectionDescription, SnapshotFacts } from "./snapshot-repository.ts";

/** One reading of a whole deployment, at one point in time where the source can do that. */
export interface SourceReading {
  /** How it is being read; `capturedAtMs` and `clusterTime` are those of the first read. */
  readonly facts: SnapshotFacts;
  /**
   * User collections and views with options and indexes. What servers fill themselves is left out: databases `local` and `config`,
   * `admin.system.*`, and elsewhere `system.profile`, `system.views` and `system.buckets.*`.
   */
  readonly collections: readonly CollectionDescription[];
  /** Every document of one collection: whole documents concatenated, in `_id` order. The buffer may be reused after the next step. */
  documents(database: string, name: string): AsyncIterable<Uint8Array>;
  /** Throws `CatalogueChanged` when the catalogue changed in a way that makes the reading untrue (a collection dropped and made again, say). */
  confirmCatalogue(): Promise<void>;
  close(): Promise<void>;
}

/** Reads deployments through the wire protocol, whatever serves it. */
export interface SnapshotSource {
  /** `connectionString` holds a password: it is never logged. The reading stops with the signal's reason when it aborts. */
  open(connectionString: string, signal: AbortSignal): Promise<SourceReading>;
}

/** Collections were changed while they were read; reading everything once more may go well. */
export class CatalogueChanged extends Error {
  constructor(message: string) {
    super(message);
    this.name = "CatalogueChanged";
  }
}
