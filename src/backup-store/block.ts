import { createCipheriv, createDecipheriv } from "node:crypto";
import { setImmediate as nextTurn } from "node:timers/promises";
import { promisify } from "node:util";
import { constants, zstdCompress, zstdDecompress } from "node:zlib";

/** Bytes before a pack's first block: magic, version, three zeros, pack id. */
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

const codecRaw = 0;
const codecZstd = 1;

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);

export function packHeader(packId: Uint8Array): Buffer {
  return Buffer.concat([packMagic, Buffer.from([1, 0, 0, 0]), packId]);
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

/** Compresses (when that helps) and seals plain bytes as a block: header, ciphertext, tag. Decodes the result again and compares, so that no compressor's mistake is ever stored. */
export async function sealBlock(
  plain: Uint8Array,
  key: Uint8Array,
  packId: Uint8Array,
  index: number,
  nonce: Uint8Array,
): Promise<Buffer> {
  // With a small chunk size the asynchronous call would make many round trips through the thread pool.
  const compressed = await compress(plain, {
    chunkSize: plain.length + 65_536,
    params: { [constants.ZSTD_c_compressionLevel]: 1 },
  });
  // Sealing and opening take a millisecond each; not in one stretch with each other or with the block that ends beside.
  await nextTurn();
  const packed = compressed.length < plain.length;
  const content = packed ? compressed : plain;
  const header = Buffer.alloc(blockHeaderLength);
  blockMagic.copy(header, 0);
  header.writeUInt8(packed ? codecZstd : codecRaw, 4);
  header.writeUInt32LE(index, 8);
  header.writeUInt32LE(plain.length, 12);
  header.writeUInt32LE(content.length, 16);
  header.set(nonce, 20);
  const cipher = createCipheriv("aes-256-gcm", key, nonce).setAAD(Buffer.concat([packHeader(packId), header]));
  const sealed = Buffer.concat([header, cipher.update(content), cipher.final(), cipher.getAuthTag()]);
  await nextTurn();
  if (!Buffer.from(plain.buffer, plain.byteOffset, plain.length).equals(await openBlock(sealed, key, packId, index)))
    throw new Error("a block does not decode to what it was made of");
  return sealed;
}

/** The plain bytes of a block. Throws when it is not what was sealed under this key, pack and number. */
export async function openBlock(
  sealed: Uint8Array,
  key: Uint8Array,
  packId: Uint8Array,
  index: number,
): Promise<Buffer> {
  const view = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.length);
  if (view.length < blockHeaderLength + tagLength || !view.subarray(0, 4).equals(blockMagic))
    throw new Error("a block is not one");
  const codec = view.readUInt8(4);
  const plainLength = view.readUInt32LE(12);
  const contentLength = view.readUInt32LE(16);
  if (
    view.readUInt32LE(8) !== index ||
    view.length !== blockHeaderLength + contentLength + tagLength ||
    plainLength > plainLengthMax
  )
    throw new Error("a block's header is wrong");
  const header = view.subarray(0, blockHeaderLength);
  const decipher = createDecipheriv("aes-256-gcm", key, header.subarray(20, 32))
    .setAAD(Buffer.concat([packHeader(packId), header]))
    .setAuthTag(view.subarray(view.length - tagLength));
  const content = Buffer.concat([
    decipher.update(view.subarray(blockHeaderLength, view.length - tagLength)),
    decipher.final(),
  ]);
  const plain =
    codec === codecZstd
      ? await decompress(content, { chunkSize: plainLength + 65_536, maxOutputLength: plainLength + 1 })
      : content;
  if (codec > codecZstd || plain.length !== plainLength)
    throw new Error("a block decodes to another length than it says");
  return plain;
}
