import { createCipheriv, createDecipheriv } from "node:crypto";
import { zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { calculateObjectSize, deserialize, type Document, serialize, setInternalBufferSize } from "bson";

/** Objects that are one sealed BSON document. */
export type SealedKind = "manifest" | "catalogue" | "mark";

const magics: Readonly<Record<SealedKind, Buffer>> = {
  manifest: Buffer.from("TLMM"),
  catalogue: Buffer.from("TLMC"),
  mark: Buffer.from("TLMG"),
};
const headerLength = 20;
const tagLength = 16;
const version = 1;
/** Numbers in headers that name algorithms. */
const sealAes256Gcm = 1;
const codecZstd = 1;
/** Plain bytes an object may announce. */
const plainLengthMax = 256 * 1024 * 1024;

/** The sealed bytes of a document; the object's key is bound to them, so that one cannot stand in another's place. */
export function sealDocument(
  kind: SealedKind,
  document: Document,
  key: Uint8Array,
  objectKey: string,
  nonce: Uint8Array,
): Buffer {
  // The serializer's own buffer ends at 17 MiB, which some thousand collections with many indexes fill. This only ever makes it larger.
  setInternalBufferSize(calculateObjectSize(document, { ignoreUndefined: true }));
  const content = zstdCompressSync(serialize(document, { ignoreUndefined: true }));
  const header = Buffer.alloc(headerLength);
  magics[kind].copy(header, 0);
  header.set([version, sealAes256Gcm, codecZstd, 0], 4);
  header.set(nonce, 8);
  const cipher = createCipheriv("aes-256-gcm", key, nonce).setAAD(Buffer.concat([header, Buffer.from(objectKey)]));
  return Buffer.concat([header, cipher.update(content), cipher.final(), cipher.getAuthTag()]);
}

/** Throws when the bytes are not what was sealed under this key and object key, or need what this version does not know. */
export function openDocument(kind: SealedKind, sealed: Uint8Array, key: Uint8Array, objectKey: string): Document {
  const view = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.length);
  if (view.length < headerLength + tagLength || !view.subarray(0, 4).equals(magics[kind]))
    throw new Error(`it is no ${kind}`);
  const header = view.subarray(0, headerLength);
  const decipher = createDecipheriv("aes-256-gcm", key, header.subarray(8, 20))
    .setAAD(Buffer.concat([header, Buffer.from(objectKey)]))
    .setAuthTag(view.subarray(view.length - tagLength));
  const content = Buffer.concat([
    decipher.update(view.subarray(headerLength, view.length - tagLength)),
    decipher.final(),
  ]);
  // Behind the seal, so that damage is called damage and only what somebody wrote is called unknown.
  if (header[4] !== version || header[5] !== sealAes256Gcm || header[6] !== codecZstd)
    throw new Error(
      `its version, seal and codec are ${header[4]}, ${header[5]}, ${header[6]}, which this version does not read`,
    );
  const document = deserialize(zstdDecompressSync(content, { maxOutputLength: plainLengthMax }), {
    promoteBuffers: true,
  });
  requireKnown(document.requires);
  return document;
}

/** What a document needs its readers to know, beyond format version 1. Nothing yet; fields that may be ignored need no name here. */
export const knownRequirements: ReadonlySet<string> = new Set();

/** Throws when a name in `requires` is not known: reading on would misunderstand. */
export function requireKnown(requires: unknown): void {
  if (!Array.isArray(requires)) throw new Error("it does not say what it requires");
  const unknown = requires.filter((name) => !knownRequirements.has(String(name)));
  if (unknown.length > 0) throw new Error(`it requires ${unknown.join(", ")}, which this version does not know`);
}
