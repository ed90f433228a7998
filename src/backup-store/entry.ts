/** Length of a pack's id: 12 bytes of the snapshot's id and 8 random ones. */
export const packIdLength = 20;

/** Where a stored run of bytes is, and what is in it: a chunk of documents, or a page of entries. */
export interface Entry {
  /** HMAC-SHA-256 of the bytes. */
  readonly id: Uint8Array;
  readonly packId: Uint8Array;
  readonly blockIndex: number;
  /** Offset in the block's plain bytes. */
  readonly offset: number;
  readonly length: number;
  /** Documents in it, or below it. */
  readonly documentCount: number;
  /** Bytes of documents in it, or below it. */
  readonly dataSizeBytes: number;
  /** As `firstIdOf` has it. */
  readonly firstId: Uint8Array;
}

/** Bytes of an entry before the first id. */
const fixedLength = 32 + packIdLength + 4 + 4 + 4 + 8 + 8 + 1 + 1;

/** An entry of a page. What of it is seldom asked for is looked up in the page then: a view of each would cost as much as all else that is done with most entries. */
class StoredEntry implements Entry {
  readonly #page: Buffer;
  readonly #position: number;
  readonly packId: Uint8Array;
  readonly blockIndex: number;
  readonly length: number;
  readonly documentCount: number;
  readonly dataSizeBytes: number;
  readonly firstId: Uint8Array;

  constructor(page: Buffer, position: number, packId: Uint8Array, idLength: number) {
    this.#page = page;
    this.#position = position;
    this.packId = packId;
    this.blockIndex = page.readUInt32LE(position + 52);
    this.length = page.readUInt32LE(position + 60);
    this.documentCount = readCount(page, position + 64);
    this.dataSizeBytes = readCount(page, position + 72);
    this.firstId = page.subarray(position + fixedLength, position + fixedLength + idLength);
  }

  get id(): Uint8Array {
    return this.#page.subarray(this.#position, this.#position + 32);
  }

  get firstWord(): number {
    return this.#page.readUInt32LE(this.#position);
  }

  get offset(): number {
    return this.#page.readUInt32LE(this.#position + 56);
  }

  /** Writes the entry as it stands in its page, and answers its length. */
  copyTo(bytes: Buffer, position: number): number {
    return this.#page.copy(bytes, position, this.#position, this.#position + fixedLength + this.firstId.length);
  }
}

/** The first four bytes of an entry's id as a number. */
export function firstWordOf(entry: Entry): number {
  if (entry instanceof StoredEntry) return entry.firstWord;
  const { id } = entry;
  return ((id[0] as number) | ((id[1] as number) << 8) | ((id[2] as number) << 16) | ((id[3] as number) << 24)) >>> 0;
}

/** Entries one after the other, as a page holds them (format document, "Entry"). */
export function encodeEntries(entries: readonly Entry[]): Uint8Array {
  const bytes = Buffer.alloc(entries.reduce((sum, entry) => sum + fixedLength + entry.firstId.length, 0));
  let position = 0;
  for (const entry of entries) {
    if (entry instanceof StoredEntry) {
      position += entry.copyTo(bytes, position);
      continue;
    }
    bytes.set(entry.id, position);
    bytes.set(entry.packId, position + 32);
    bytes.writeUInt32LE(entry.blockIndex, position + 52);
    bytes.writeUInt32LE(entry.offset, position + 56);
    bytes.writeUInt32LE(entry.length, position + 60);
    writeCount(bytes, entry.documentCount, position + 64);
    writeCount(bytes, entry.dataSizeBytes, position + 72);
    // Position 80 holds flags, of which there are none yet.
    bytes.writeUInt8(entry.firstId.length, position + 81);
    bytes.set(entry.firstId, position + fixedLength);
    position += fixedLength + entry.firstId.length;
  }
  return bytes;
}

/** Throws when the bytes are no entries. */
export function decodeEntries(bytes: Uint8Array): Entry[] {
  // A copy, since entries are held for long and would keep all of the block they were read from.
  const view = Buffer.from(bytes);
  const entries: Entry[] = [];
  let packId = view.subarray(0, 0);
  let position = 0;
  while (position < view.length) {
    const idLength = position + fixedLength <= view.length ? view.readUInt8(position + 81) : 256;
    if (position + fixedLength + idLength > view.length) throw new Error("a page of entries is cut short");
    if (view.readUInt8(position + 80) !== 0) throw new Error("an entry has flags that this version does not know");
    // Most are in the pack of the one before; a view for each would cost as much as everything else here.
    if (packId.length === 0 || !standsAt(view, packId, position + 32))
      packId = view.subarray(position + 32, position + 52);
    entries.push(new StoredEntry(view, position, packId, idLength));
    position += fixedLength + idLength;
  }
  return entries;
}

/** Compared here, and from the end, where packs of one snapshot differ: `compare` of buffers takes most of a microsecond. */
function standsAt(view: Buffer, bytes: Buffer, position: number): boolean {
  for (let index = bytes.length - 1; index >= 0; index -= 1) if (view[position + index] !== bytes[index]) return false;
  return true;
}

function writeCount(bytes: Buffer, count: number, position: number): void {
  if (!Number.isSafeInteger(count) || count < 0) throw new Error(`a count cannot be ${count}`);
  bytes.writeUInt32LE(count % 2 ** 32, position);
  bytes.writeUInt32LE(Math.floor(count / 2 ** 32), position + 4);
}

function readCount(view: Buffer, position: number): number {
  const count = view.readUInt32LE(position + 4) * 2 ** 32 + view.readUInt32LE(position);
  if (count > Number.MAX_SAFE_INTEGER)
    throw new Error(`a count of ${view.readBigUInt64LE(position)} is more than this version can count`);
  return count;
}

/** Key of an entry in a map: 16 of the 32 bytes of its id tell chunks apart well enough; the whole id is compared when bytes are read. */
export function entryKeyOf(id: Uint8Array): string {
  return Buffer.from(id.buffer, id.byteOffset, 16).toString("latin1");
}

/** Key of a pack's object. */
export function packKeyOf(packId: Uint8Array, revision: number = 0): string {
  const hex = Buffer.from(packId).toString("hex");
  return `packs/${hex.slice(0, 24)}/${hex.slice(24)}${revision === 0 ? "" : `.${revision}`}`;
}

/** What a pack's key says; undefined when the key is not one. */
export function parsePackKey(key: string): { readonly id: Buffer; readonly revision: number } | undefined {
  const match = /^packs\/([0-9a-f]{24})\/([0-9a-f]{16})(?:\.([1-9][0-9]{0,4}))?$/.exec(key);
  if (match === null) return undefined;
  return { id: Buffer.from(`${match[1]}${match[2]}`, "hex"), revision: Number(match[3] ?? 0) };
}
