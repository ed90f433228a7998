/** RFC 9562, version 4. */
export function uuid(randomBytes: (length: number) => Uint8Array): Uint8Array {
  const bytes = randomBytes(16);
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
  return bytes;
}
