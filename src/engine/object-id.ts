/** 12 bytes of a new ObjectId: seconds, then random bytes (manual, "ObjectId"). */
export function newObjectId(nowMs: number, randomBytes: (length: number) => Uint8Array): Uint8Array {
  const bytes = new Uint8Array(12);
  new DataView(bytes.buffer).setUint32(0, Math.floor(nowMs / 1000));
  bytes.set(randomBytes(8), 4);
  return bytes;
}
