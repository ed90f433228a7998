import { setImmediate as nextTurn } from "node:timers/promises";
import { BlobError } from "../ports/blob-store.ts";
import { SnapshotDamaged } from "../ports/snapshot-repository.ts";
import type { DamageReport } from "./damage-report.ts";
import { decodeEntries, type Entry, packKeyOf } from "./entry.ts";
import type { Manifest, ManifestCollection } from "./manifest.ts";
import type { PackReader } from "./pack-reader.ts";
import type { Tree } from "./tree.ts";
import type { KnownPack } from "./verify.ts";

/** Pages known to be whole with all below them; more are simply walked again. */
const soundPagesMax = 1_000_000;

interface Place {
  readonly manifestKey: string;
  readonly snapshotId: string;
  readonly collection: ManifestCollection;
}

/** Walks the trees of snapshots over what is known of the packs, and tells which documents are hurt. */
export class HurtFinder {
  readonly #reader: PackReader;
  readonly #packs: ReadonlyMap<string, KnownPack>;
  readonly #report: DamageReport;
  readonly #signal: AbortSignal | undefined;
  /** A page's id is the hash of where everything below it is: what is whole once is whole in every snapshot. */
  readonly #sound = new Set<string>();

  constructor(
    reader: PackReader,
    packs: ReadonlyMap<string, KnownPack>,
    report: DamageReport,
    signal: AbortSignal | undefined,
  ) {
    this.#reader = reader;
    this.#packs = packs;
    this.#report = report;
    this.#signal = signal;
  }

  async walk(manifestKey: string, manifest: Manifest): Promise<void> {
    for (const collection of manifest.collections) {
      const place = { manifestKey, snapshotId: manifest.snapshotId, collection };
      await this.#walkTree(place, collection.tree, undefined);
      const counted = collection.tree.entries.reduce((sum, entry) => sum + entry.documentCount, 0);
      if (counted !== collection.documentCount)
        this.#report.lose(
          manifestKey,
          manifest.snapshotId,
          `${manifestKey} counts ${collection.documentCount} documents of ${collection.database}.${collection.name} where ${counted} are stored`,
        );
    }
  }

  /** Answers whether all of it is whole; `endId` is where what follows begins. */
  async #walkTree(place: Place, { level, entries }: Tree, endId: Uint8Array | undefined): Promise<boolean> {
    let whole = true;
    for (const [index, entry] of entries.entries()) {
      this.#signal?.throwIfAborted();
      const toId = entries[index + 1]?.firstId ?? endId;
      const sound =
        level === 0 ? this.#checkChunk(place, entry, toId) : await this.#walkPage(place, level, entry, toId);
      whole &&= sound;
    }
    return whole;
  }

  #checkChunk(place: Place, entry: Entry, toId: Uint8Array | undefined): boolean {
    const pack = this.#packs.get(packKeyOf(entry.packId));
    const length = pack?.blockLengths[entry.blockIndex] ?? 0;
    if (entry.offset + entry.length <= length) return true;
    this.#hurt(place, entry, toId, `block ${entry.blockIndex} cannot be read`);
    return false;
  }

  async #walkPage(place: Place, level: number, page: Entry, toId: Uint8Array | undefined): Promise<boolean> {
    const key = Buffer.from(page.id.buffer, page.id.byteOffset, 16).toString("latin1");
    if (this.#sound.has(key)) return true;
    let entries: Entry[];
    try {
      entries = decodeEntries(await this.#reader.read(page));
    } catch (error) {
      // Asking went wrong, and says nothing about what is stored.
      if (!isDamage(error)) throw error;
      this.#hurt(place, page, toId, "a page cannot be read");
      return false;
    }
    await nextTurn();
    const whole = await this.#walkTree(place, { level: level - 1, entries }, toId);
    if (whole && this.#sound.size < soundPagesMax) this.#sound.add(key);
    return whole;
  }

  #hurt(
    { manifestKey, snapshotId, collection }: Place,
    entry: Entry,
    toId: Uint8Array | undefined,
    what: string,
  ): void {
    const packKey = packKeyOf(entry.packId);
    const pack = this.#packs.get(packKey);
    const objectKey = pack?.objectKey ?? packKey;
    this.#report.hurt(objectKey, pack === undefined ? `${objectKey} is missing` : `${objectKey}: ${what}`, {
      manifestKey,
      snapshotId,
      database: collection.database,
      collection: collection.name,
      fromId: entry.firstId,
      toId,
      documentCount: entry.documentCount,
    });
  }
}

function isDamage(error: unknown): boolean {
  if (!(error instanceof SnapshotDamaged)) return false;
  const { cause } = error;
  return !(cause instanceof BlobError) || cause.code === "blob_not_found" || cause.code === "blob_range";
}
