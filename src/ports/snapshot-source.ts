import type { ChangedDocuments, CollectionDescription, LogPosition, SnapshotFacts } from "./snapshot-repository.ts";

/** `_id`s of a collection's documents that may have changed, in `_id` order; or why they are not known, in a few words. */
export type ChangedIds = { readonly ids: readonly Uint8Array[] } | { readonly unknown: string };

/** What a source's operation log says about some collections; or why it says nothing, in a few words. */
export type LoggedChanges =
  | { readonly of: (collection: CollectionDescription) => ChangedIds }
  | { readonly unknown: string };

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
  /**
   * What changed in these collections after a position in the log and up to this reading's time. The collections are those with the same UUID at both times. Never too little; memory is
   * bounded, so that it may be unknown for that reason too. Of a collection with more changed documents than `mostOf` says nobody needs to know which, and of no
   * more of the log than `logMostBytes` bytes.
   */
  changesSince(
    position: LogPosition,
    collections: readonly CollectionDescription[],
    mostOf?: (collection: CollectionDescription) => number,
    logMostBytes?: number,
  ): Promise<LoggedChanges>;
  /** Those documents of a collection as they are at this reading's time. Asking may throw `IncrementRefused`. */
  changedDocuments(database: string, name: string, ids: readonly Uint8Array[]): ChangedDocuments;
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
