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
  /** As `Chunk.firstId`. */
  readonly firstId: Uint8Array;
}

const fixedLength = 32 + packIdLength + 4 + 4 + 4 + 4 + 8 + 1;

/** Entries one after the other, as a page holds them (format document, "Entry"). */
export function encodeEntries(entries: readonly Entry[]): Uint8Array {
  const bytes = Buffer.alloc(entries.reduce((sum, entry) => sum + fixedLength + entry.firstId.length, 0));
  let position = 0;
  for (const entry of entries) {
    bytes.set(entry.id, position);
    bytes.set(entry.packId, position + 32);
    bytes.writeUInt32LE(entry.blockIndex, position + 52);
    bytes.writeUInt32LE(entry.offset, position + 56);
    bytes.writeUInt32LE(entry.length, position + 60);
    bytes.writeUInt32LE(entry.documentCount, position + 64);
    bytes.writeBigUInt64LE(BigInt(entry.dataSizeBytes), position + 68);
    bytes.writeUInt8(entry.firstId.length, position + 76);
    bytes.set(entry.firstId, position + 77);
    position += fixedLength + entry.firstId.length;
  }
  return bytes;
}

/** Throws when the bytes are no entries. */
export function decodeEntries(bytes: Uint8Array): Entry[] {
  // A copy, since entries are held for long and would keep all of the block they were read from.
  const view = Buffer.from(bytes);
  const entries: Entry[] = [];
  let position = 0;
  while (position < view.length) {
    const idLength = position + fixedLength <= view.length ? view.readUInt8(position + 76) : 256;
    if (position + fixedLength + idLength > view.length) throw new Error("a page of entries is cut short");
    entries.push({
      id: view.subarray(position, position + 32),
      packId: view.subarray(position + 32, position + 52),
      blockIndex: view.readUInt32LE(position + 52),
      offset: view.readUInt32LE(position + 56),
      length: view.readUInt32LE(position + 60),
      documentCount: view.readUInt32LE(position + 64),
      dataSizeBytes: Number(view.readBigUInt64LE(position + 68)),
      firstId: view.subarray(position + 77, position + 77 + idLength),
    });
    position += fixedLength + idLength;
  }
  return entries;
}

/** Key of a pack's object. */
export function packKeyOf(packId: Uint8Array): string {
  const hex = Buffer.from(packId).toString("hex");
  return `packs/${hex.slice(0, 24)}/${hex.slice(24)}`;
}

/** The id in a pack's key; undefined when the key is not one. */
export function packIdOf(key: string): Buffer | undefined {
  const match = /^packs\/([0-9a-f]{24})\/([0-9a-f]{16})$/.exec(key);
  return match === null ? undefined : Buffer.from(`${match[1]}${match[2]}`, "hex");
}
