import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject } from "node:crypto";
import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib";

/** Bytes before a pack's first block: magic, version, seal, revision, pack id. */
export const packHeaderLength = 28;
export const blockHeaderLength = 32;
export const tagLength = 16;
/** Bytes behind the trailer block: its length, magic. */
export const packEndLength = 8;
/** Block number of the trailer. */
export const trailerIndex = 0xffff_ffff;
/** Plain bytes a block may announce; more is damage, and must not be allocated. */
const plainLengthMax = 64 * 1024 * 1024;

const packMagic = Buffer.from("TLMP");
const blockMagic = Buffer.from("TLMB");
const endMagic = Buffer.from("TLME");

const formatVersion = 1;
/** Numbers in headers that name algorithms. */
const sealAes256Gcm = 1;
const codecRaw = 0;
const codecZstd = 1;

/** What the plain bytes of a block are. Readers need not know; whoever rebuilds what points into packs does. */
export const blockContents = { chunks: 0, pages: 1, trailer: 2 } as const;

/**
 * Level 1 with a window of 128 KiB: about a fifth quicker on documents than with the level's own window of 512 KiB, whose memory is got and cleared for every block, and no larger by more than
 * a third of a percent.
 */
const zstdParameters = { [constants.ZSTD_c_compressionLevel]: 1, [constants.ZSTD_c_windowLog]: 17 };
/** A pack, and how often it was written anew without what nobody needed any more. */
export interface PackIdentity {
  readonly id: Uint8Array;
  readonly revision: number;
  /** AES-256 key of its blocks. */
  readonly key: Uint8Array;
}

export function packHeader({ id, revision }: Omit<PackIdentity, "key">): Buffer {
  const header = Buffer.alloc(packHeaderLength);
  packMagic.copy(header, 0);
  header.set([formatVersion, sealAes256Gcm], 4);
  header.writeUInt16LE(revision, 6);
  header.set(id, 8);
  return header;
}

export function packEnd(trailerLength: number): Buffer {
  const end = Buffer.alloc(packEndLength);
  end.writeUInt32LE(trailerLength, 0);
  endMagic.copy(end, 4);
  return end;
}

/** Length of the trailer block from a pack's last bytes. Throws when they are no pack's. */
export function trailerLengthOf(end: Uint8Array): number {
  const view = Buffer.from(end.buffer, end.byteOffset, end.length);
  if (end.length !== packEndLength || !view.subarray(4).equals(endMagic))
    throw new Error("the end of a pack is not one");
  return view.readUInt32LE(0);
}

export interface BlockHeader {
  readonly index: number;
  /** Header and tag included. */
  readonly sizeBytes: number;
  readonly plainLength: number;
  /** One of `blockContents`. */
  readonly content: number;
}

/** What a block's header says: no key is needed to find blocks. Undefined when it is no block's header. */
export function readBlockHeader(header: Uint8Array): BlockHeader | undefined {
  const view = Buffer.from(header.buffer, header.byteOffset, header.length);
  if (view.length < blockHeaderLength || !view.subarray(0, 4).equals(blockMagic)) return undefined;
  return {
    index: view.readUInt32LE(8),
    sizeBytes: blockHeaderLength + view.readUInt32LE(16) + tagLength,
    plainLength: view.readUInt32LE(12),
    content: view.readUInt8(5),
  };
}

export interface BlockToSeal {
  readonly plain: Uint8Array;
  readonly index: number;
  readonly content: number;
  readonly nonce: Uint8Array;
}

/** Compresses (when that helps) and seals plain bytes as a block: header, ciphertext, tag. Decodes the result again and compares, so that no compressor's mistake is ever stored. */
export function sealBlock(pack: PackIdentity, { plain, index, content, nonce }: BlockToSeal): Buffer {
  const compressed = zstdCompressSync(plain, {
    // Documents take less than half when compressed.
    chunkSize: Math.max(1024, plain.length >> 1),
    params: zstdParameters,
  });
  const packed = compressed.length < plain.length;
  const stored = packed ? compressed : plain;
  const sealed = Buffer.allocUnsafeSlow(blockHeaderLength + stored.length + tagLength);
  const header = sealed.subarray(0, blockHeaderLength).fill(0);
  blockMagic.copy(header, 0);
  header.set([packed ? codecZstd : codecRaw, content], 4);
  header.writeUInt32LE(index, 8);
  header.writeUInt32LE(plain.length, 12);
  header.writeUInt32LE(stored.length, 16);
  header.set(nonce, 20);
  const cipher = createCipheriv("aes-256-gcm", keyObjectOf(pack), nonce).setAAD(
    Buffer.concat([packHeader(pack), header]),
  );
  // In this mode all of the ciphertext comes at once, and none at the end.
  const ciphertext = cipher.update(stored);
  cipher.final();
  sealed.set(ciphertext, blockHeaderLength);
  sealed.set(cipher.getAuthTag(), blockHeaderLength + stored.length);
  const opened = openBlock(pack, sealed, index);
  if (!opened.equals(plain)) throw new Error("a block does not decode to what it was made of");
  for (const bytes of [compressed, ciphertext, opened]) releaseMemory(bytes);
  return sealed;
}

/** The plain bytes of a block. Throws when it is not what was sealed for this pack under this number. */
export function openBlock(pack: PackIdentity, sealed: Uint8Array, index: number): Buffer {
  const stored = unsealBlock(pack, sealed, index);
  const view = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.length);
  const plainLength = view.readUInt32LE(12);
  const codec = view.readUInt8(4);
  const plain =
    codec === codecZstd
      ? zstdDecompressSync(stored, { chunkSize: Math.max(64, plainLength + 1), maxOutputLength: plainLength + 1 })
      : stored;
  if (codec > codecZstd || plain.length !== plainLength)
    throw new Error("a block decodes to another length than it says");
  if (plain !== stored) releaseMemory(stored);
  return plain;
}

/** The authentic content of a block, compressed as it may be. Throws when it is not what was sealed for this pack under this number. */
export function unsealBlock(pack: PackIdentity, sealed: Uint8Array, index: number): Buffer {
  const view = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.length);
  const found = readBlockHeader(view);
  if (found === undefined) throw new Error("a block is not one");
  if (found.index !== index || view.length !== found.sizeBytes || found.plainLength > plainLengthMax)
    throw new Error("a block's header is wrong");
  const header = view.subarray(0, blockHeaderLength);
  const decipher = createDecipheriv("aes-256-gcm", keyObjectOf(pack), header.subarray(20, 32))
    .setAAD(Buffer.concat([packHeader(pack), header]))
    .setAuthTag(view.subarray(view.length - tagLength));
  const stored = decipher.update(view.subarray(blockHeaderLength, view.length - tagLength));
  decipher.final();
  return stored;
}

let lastKey: { readonly bytes: Uint8Array; readonly object: KeyObject } | undefined;

/** Made once for the blocks of a pack: from the bytes each cipher would make its own, which costs as much as sealing ten kilobytes. */
function keyObjectOf({ key }: PackIdentity): KeyObject {
  if (lastKey === undefined || Buffer.compare(lastKey.bytes, key) !== 0)
    lastKey = { bytes: Uint8Array.from(key), object: createSecretKey(key) };
  return lastKey.object;
}

/**
 * Frees what is not used any more now, not when the collector next looks: some megabytes for every block would have it look all the time. Not what stands where Node puts small
 * Buffers together, which has a size of its own.
 */
export function releaseMemory({ buffer }: Uint8Array): void {
  if (buffer.byteLength !== Buffer.poolSize && buffer instanceof ArrayBuffer) buffer.transfer(0);
}
