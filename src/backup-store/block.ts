import { createCipheriv, createDecipheriv } from "node:crypto";
import { setImmediate as nextTurn } from "node:timers/promises";
import { promisify } from "node:util";
import { constants, zstdCompress, zstdDecompress } from "node:zlib";

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

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);

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
export async function sealBlock(pack: PackIdentity, { plain, index, content, nonce }: BlockToSeal): Promise<Buffer> {
  // With a small chunk size the asynchronous call would make many round trips through the thread pool; documents take less than half when compressed.
  const compressed = await compress(plain, {
    chunkSize: Math.max(65_536, plain.length >> 1),
    params: { [constants.ZSTD_c_compressionLevel]: 1 },
  });
  // Sealing and opening take a millisecond each; not in one stretch with each other or with the block that ends beside.
  await nextTurn();
  const packed = compressed.length < plain.length;
  const stored = packed ? compressed : plain;
  const header = Buffer.alloc(blockHeaderLength);
  blockMagic.copy(header, 0);
  header.set([packed ? codecZstd : codecRaw, content], 4);
  header.writeUInt32LE(index, 8);
  header.writeUInt32LE(plain.length, 12);
  header.writeUInt32LE(stored.length, 16);
  header.set(nonce, 20);
  const cipher = createCipheriv("aes-256-gcm", pack.key, nonce).setAAD(Buffer.concat([packHeader(pack), header]));
  const sealed = Buffer.concat([header, cipher.update(stored), cipher.final(), cipher.getAuthTag()]);
  await nextTurn();
  if (!Buffer.from(plain.buffer, plain.byteOffset, plain.length).equals(await openBlock(pack, sealed, index)))
    throw new Error("a block does not decode to what it was made of");
  return sealed;
}

/** The plain bytes of a block. Throws when it is not what was sealed for this pack under this number. */
export async function openBlock(pack: PackIdentity, sealed: Uint8Array, index: number): Promise<Buffer> {
  const view = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.length);
  const found = readBlockHeader(view);
  if (found === undefined) throw new Error("a block is not one");
  const { plainLength } = found;
  if (found.index !== index || view.length !== found.sizeBytes || plainLength > plainLengthMax)
    throw new Error("a block's header is wrong");
  const header = view.subarray(0, blockHeaderLength);
  const decipher = createDecipheriv("aes-256-gcm", pack.key, header.subarray(20, 32))
    .setAAD(Buffer.concat([packHeader(pack), header]))
    .setAuthTag(view.subarray(view.length - tagLength));
  const stored = Buffer.concat([
    decipher.update(view.subarray(blockHeaderLength, view.length - tagLength)),
    decipher.final(),
  ]);
  const codec = view.readUInt8(4);
  const plain =
    codec === codecZstd
      ? await decompress(stored, { chunkSize: plainLength + 65_536, maxOutputLength: plainLength + 1 })
      : stored;
  if (codec > codecZstd || plain.length !== plainLength)
    throw new Error("a block decodes to another length than it says");
  return plain;
}
