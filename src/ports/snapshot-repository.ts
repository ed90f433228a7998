import type { DeploymentRecord } from "./metadata/deployment-records.ts";
import type { OrganizationRecord, ProjectRecord } from "./metadata/project-records.ts";
import type { SnapshotRecord } from "./metadata/snapshot-records.ts";

/** What a snapshot keeps of a collection besides its documents. Options and index specifications stay the bytes the source answered. */
export interface CollectionDescription {
  readonly database: string;
  readonly name: string;
  readonly type: "collection" | "view" | "timeseries";
  /** 16 bytes; absent for views and for sources that have none. */
  readonly uuid?: Uint8Array;
  /** One BSON document, as `listCollections` answered it under `options`. */
  readonly options: Uint8Array;
  /** One BSON document each, as `listIndexes` answered them, `_id_` included. */
  readonly indexes: readonly Uint8Array[];
}

export interface CollectionTotals {
  readonly documentCount: number;
  /** Plain BSON bytes. */
  readonly dataSizeBytes: number;
}

export interface StoredCollection extends CollectionDescription, CollectionTotals {}

/** An entry of a source's operation log. */
export interface LogPosition {
  readonly seconds: number;
  readonly increment: number;
  /** SHA-256 of the entry's bytes: who finds the same entry there later reads the same log. */
  readonly entryHash: Uint8Array;
}

/** How the source was read, kept with the snapshot for ever. */
export interface SnapshotFacts {
  /** `exact`: one point in time; `log_catch_up`: fuzzy copy plus log; `best_effort`: each collection at its own time. */
  readonly consistency: "exact" | "log_catch_up" | "best_effort";
  /** Cluster time read at, seconds and increment; only with `exact` and `log_catch_up`. */
  readonly clusterTime?: { readonly seconds: number; readonly increment: number };
  /** `x.y.z` as the source announced it. */
  readonly serverVersion: string;
  /** Milliseconds since the epoch at which the data was captured. */
  readonly capturedAtMs: number;
  /** The newest entry of the source's operation log that is in the snapshot; only with `exact`, and where the log can be read. */
  readonly logPosition?: LogPosition;
  /** How many snapshots in a row, this one the last, were made of the one before and the log; absent: everything was read. */
  readonly incrementsInARow?: number;
  /** Whether what was read is the same as what the snapshot before and the log would have made; absent: not looked at. */
  readonly incrementCheck?: "equal" | "different";
}

export interface CommittedSnapshot extends CollectionTotals {
  /** Names the manifest object; all that is needed to open the snapshot again. */
  readonly manifestKey: string;
  /** Stored bytes (compressed, sealed) that restoring this snapshot reads: its blocks, each counted once, and its manifest. */
  readonly storageSizeBytes: number;
  /** Stored bytes that this snapshot added to the store. */
  readonly addedSizeBytes: number;
  readonly collectionCount: number;
}

export interface BeginSnapshot {
  /** Snapshots of one deployment in order share a lineage; unchanged data is looked for in the lineage's previous snapshot. */
  readonly lineageId: string;
  readonly snapshotId: string;
  /** The newest completed snapshot of the lineage, when there is one. */
  readonly parentManifestKey?: string;
}

/** What became of a collection since the parent snapshot. */
export interface ChangedDocuments {
  /** `_id`s of every document that may have changed: whole BSON elements (type, `_id`, zero, value), each once and in `_id` order (`shared/id-order.ts`). */
  readonly ids: readonly Uint8Array[];
  /** Those of them that are there now, whole documents concatenated, in `_id` order. A piece is asked for while the one before is used, which it must leave as it is. */
  readonly documents: AsyncIterable<Uint8Array>;
}

export interface WrittenCollection extends CollectionTotals {
  /** When asked for: a hash over the collection's chunks in order. The same documents in the same order have the same, however they came there. */
  readonly fingerprint: Uint8Array | undefined;
}

/** Documents of one collection on their way into a snapshot. */
export interface CollectionWriter {
  /**
   * Takes whole BSON documents, one after the other in one buffer, in the order the source gave them (`_id` order where it can). The bytes
   * may be reused once the promise resolves. Waits when the store is slower than the source. Throws on bytes that are not whole documents.
   */
  write(documents: Uint8Array): Promise<void>;
  end(): Promise<WrittenCollection>;
}

/** Collections of one snapshot that are written at once, at most: each takes a few megabytes of memory. */
export const collectionsAtOnceMax = 8;

export interface SnapshotWriter {
  /** The snapshot that unchanged data is shared with. */
  readonly parent: StoredSnapshot | undefined;
  /** Several may be written at once, up to `collectionsAtOnceMax`, with the same result in whatever order they are begun and written: the snapshot lists them by database and name. */
  beginCollection(
    description: CollectionDescription,
    options?: { readonly fingerprint?: boolean },
  ): Promise<CollectionWriter>;
  /**
   * Writes a collection as the parent has it, but for what changed, reading only the parent's chunks around that: the result is the one that writing all of it would have.
   * Both must be in `_id` order. Throws `IncrementRefused` when it cannot be told that they are; then the collection can be begun as if this had not been tried.
   */
  writeIncrement(description: CollectionDescription, changes: ChangedDocuments): Promise<CollectionTotals>;
  /** What `writeIncrement` would write, its fingerprint too; nothing is stored, and nothing is added to the snapshot. */
  foreseeIncrement(description: CollectionDescription, changes: ChangedDocuments): Promise<WrittenCollection>;
  /**
   * Makes packs durable and reads them back and compares, then the same with the manifest, then answers. After it the snapshot can be opened;
   * whoever keeps the catalogue may now say `completed`. Throws without leaving anything that looks complete.
   */
  commit(facts: SnapshotFacts): Promise<CommittedSnapshot>;
  /** Gives up; what was written becomes garbage. Never throws. */
  abort(): Promise<void>;
}

/** What is known of a snapshot without reading its documents. */
export interface StoredSnapshot {
  readonly facts: SnapshotFacts;
  readonly collections: readonly StoredCollection[];
}

export interface ComparedCollection extends CollectionTotals {
  readonly equal: boolean;
}

/** A committed snapshot. Every byte handed out was authenticated first. */
export interface SnapshotReader extends StoredSnapshot {
  /** The documents in stored order, whole documents concatenated, about 1 MiB at a time. Throws `SnapshotDamaged` naming what is hurt. */
  documents(database: string, name: string): AsyncIterable<Uint8Array>;
  /** Whether `documents` (in the order the snapshot was read) are byte for byte those of the snapshot. */
  compare(database: string, name: string, documents: AsyncIterable<Uint8Array>): Promise<ComparedCollection>;
  /** Reads and authenticates everything the snapshot needs. Throws `SnapshotDamaged`. */
  verify(signal?: AbortSignal): Promise<void>;
}

export interface GarbageRequest {
  /** Manifests of every snapshot that must stay, and of those that snapshots in progress share data with; read anew right before anything is deleted. */
  readonly liveManifestKeys: () => Promise<ReadonlySet<string>>;
  /** Snapshots being written now: nothing of theirs is touched. */
  readonly snapshotIdsInProgress: () => Promise<ReadonlySet<string>>;
  /** Of these snapshots, those that were never known: when the store has a record of one, metadata was lost, and nothing of it is touched. */
  readonly neverKnown: (snapshotIds: readonly string[]) => Promise<ReadonlySet<string>>;
  readonly nowMs: number;
  /** How long an object must have been found unneeded before it is deleted. */
  readonly graceMs: number;
  /** Objects deleted at most. */
  readonly deletionsMax?: number;
  /** Packs written anew at most, without what nobody needs, when less than half of them is needed; 0 when left out. */
  readonly repacksMax?: number;
  /** Tells what would be deleted now, and changes nothing. */
  readonly dryRun?: boolean;
  readonly signal?: AbortSignal;
}

export interface GarbageReport {
  readonly deletedObjectCount: number;
  readonly deletedSizeBytes: number;
  /** Their time has come, and the store keeps them locked, or what belongs to them. They are among those that wait. */
  readonly lockedObjectCount: number;
  readonly lockedSizeBytes: number;
  /** Unneeded, and waiting for their time. */
  readonly waitingObjectCount: number;
  readonly waitingSizeBytes: number;
  /** When the first of them has waited long enough. */
  readonly nextAtMs: number | undefined;
  /** Snapshots that the store has a record of and the metadata has never known; `telamon recover` brings them back. */
  readonly unknownSnapshotIds: readonly string[];
  readonly repackedPackCount: number;
  /** What the older revisions of those packs hold that the new ones do not. */
  readonly repackedSizeBytes: number;
}

/** Documents of one collection that cannot be read any more. */
export interface HurtRange {
  readonly snapshotId: string;
  readonly manifestKey: string;
  readonly database: string;
  readonly collection: string;
  /** The first `_id` hurt, as BSON element bytes cut at 64 (`Chunk.firstId`); hurt are documents from here to before `toId`. */
  readonly fromId: Uint8Array;
  /** Undefined: to the end of the collection. */
  readonly toId: Uint8Array | undefined;
  readonly documentCount: number;
}

/** A stored object that is missing or not what was written, and what that costs. */
export interface Damage {
  readonly objectKey: string;
  /** One sentence for people. */
  readonly reason: string;
  /** Snapshots of which nothing can be read. */
  readonly lostSnapshotIds: readonly string[];
  /** Empty, with `lostSnapshotIds`, when no document is hurt. */
  readonly ranges: readonly HurtRange[];
  /** Further ranges that are hurt and not listed. */
  readonly rangesLeftOut: number;
}

export interface VerifyRequest {
  /** The snapshots that must be whole; every manifest that is stored when left out. */
  readonly manifestKeys?: ReadonlySet<string>;
  /** Only these objects are read; everything when left out. */
  readonly objectKeys?: ReadonlySet<string>;
  readonly signal?: AbortSignal;
  /** Called after each object. */
  readonly onProgress?: (progress: { readonly objectCount: number; readonly sizeBytes: number }) => void;
}

export interface VerifyReport {
  /** Objects and bytes that were read. */
  readonly objectCount: number;
  readonly sizeBytes: number;
  /** Snapshots whose trees were walked: all of them when all was asked for or damage was found, none otherwise. */
  readonly snapshotCount: number;
  readonly damages: readonly Damage[];
}

/** A completed snapshot and what it belongs to, as the metadata database has them. */
export interface CataloguedSnapshot {
  /** Counts up when the record changes after completion; the greatest one counts. */
  readonly revision: number;
  readonly organization: OrganizationRecord;
  readonly project: ProjectRecord;
  readonly deployment: DeploymentRecord;
  readonly snapshot: SnapshotRecord;
}

/** Where snapshots are kept: deduplicated, compressed, sealed. */
export interface SnapshotRepository {
  begin(request: BeginSnapshot): Promise<SnapshotWriter>;
  /** Throws `SnapshotDamaged` when the manifest is missing or does not authenticate. */
  open(manifestKey: string): Promise<SnapshotReader>;
  /** Keeps a copy of what the metadata database knows of a completed snapshot, so that a lost database can be rebuilt. Durable and read back when it resolves. */
  catalogue(record: CataloguedSnapshot): Promise<void>;
  /** The newest copy of every snapshot; one that cannot be read is told to `onDamage` and passed over. */
  catalogued(onDamage: (objectKey: string, error: unknown) => void): AsyncIterable<CataloguedSnapshot>;
  /** Reads and authenticates stored objects, each byte once, and tells what damage hurts. Throws only when the store cannot be asked. */
  verify(request?: VerifyRequest): Promise<VerifyReport>;
  /** Every object of the repository. */
  objects(): AsyncIterable<{ readonly key: string; readonly sizeBytes: number }>;
  /** Marks objects that no live snapshot needs, and deletes those that were marked long enough ago. Never deletes when a listing or a manifest cannot be read. */
  collectGarbage(request: GarbageRequest): Promise<GarbageReport>;
  /** Absent where the store keeps nothing from being deleted. */
  readonly locks?: SnapshotLocks;
}

/** A snapshot that stays, and until when for certain, milliseconds since the epoch; Infinity when nobody can tell. */
export interface KeptSnapshot {
  readonly manifestKey: string;
  readonly keptUntilMs: number;
}

/**
 * Keeps what snapshots need locked, which others put before them: a lock counts from the writing of an object. What is renewed is locked as long as a new object would be, and not
 * longer than its snapshot stays; what is locked for three quarters of that still is left alone, so that many snapshots that share a pack renew it once.
 */
export interface SnapshotLocks {
  /** How long an object is locked from the time it was put. */
  readonly durationMs: number;
  /** Of everything that a snapshot needs; answers how many objects were locked anew. Throws `SnapshotDamaged` when something of it is missing. */
  renew(snapshot: KeptSnapshot, nowMs: number, signal: AbortSignal): Promise<number>;
  /** Of what opens the store, without which no snapshot can be read. */
  renewKeys(nowMs: number, signal: AbortSignal): Promise<number>;
}

/** A collection cannot be made of the snapshot before and what changed; it has to be read whole. The message is the reason. */
export class IncrementRefused extends Error {
  constructor(message: string) {
    super(message);
    this.name = "IncrementRefused";
  }
}

/** Stored bytes are missing or are not what was written. */
export class SnapshotDamaged extends Error {
  readonly objectKey: string;

  constructor(objectKey: string, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = "SnapshotDamaged";
    this.objectKey = objectKey;
  }
}
