/** Reading and writing of numbers in little-endian bytes; plain arithmetic, since a DataView for each document costs more than the read. */

export function readInt32(bytes: Uint8Array, offset: number): number {
  return (
    (bytes[offset] as number) |
    ((bytes[offset + 1] as number) << 8) |
    ((bytes[offset + 2] as number) << 16) |
    ((bytes[offset + 3] as number) << 24)
  );
}

export function writeInt32(bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = value;
  bytes[offset + 1] = value >> 8;
  bytes[offset + 2] = value >> 16;
  bytes[offset + 3] = value >> 24;
}

const scratch = new ArrayBuffer(8);
const scratchBytes = new Uint8Array(scratch);
const scratchView = new DataView(scratch);

function load(bytes: Uint8Array, offset: number): DataView {
  for (let index = 0; index < 8; index += 1) scratchBytes[index] = bytes[offset + index] as number;
  return scratchView;
}

export function readDouble(bytes: Uint8Array, offset: number): number {
  return load(bytes, offset).getFloat64(0, true);
}

export function readInt64(bytes: Uint8Array, offset: number): bigint {
  return load(bytes, offset).getBigInt64(0, true);
}

export function readUint64(bytes: Uint8Array, offset: number): bigint {
  return load(bytes, offset).getBigUint64(0, true);
}

export function doubleBytes(value: number): Uint8Array {
  scratchView.setFloat64(0, value, true);
  return scratchBytes.slice();
}

export function int64Bytes(value: bigint): Uint8Array {
  scratchView.setBigInt64(0, value, true);
  return scratchBytes.slice();
}

export function int32Bytes(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  writeInt32(bytes, 0, value);
  return bytes;
}

/** Bytes before the next zero byte, from `offset`; -1 when there is none before `end`. */
export function cstringEnd(bytes: Uint8Array, offset: number, end: number): number {
  for (let position = offset; position < end; position += 1) if (bytes[position] === 0) return position;
  return -1;
}

const decoder = new TextDecoder();
const encoder = new TextEncoder();

/** Short ASCII, as nearly all field names are, is put together without the decoder, which is dear for a few bytes. */
export function readText(bytes: Uint8Array, start: number, end: number): string {
  if (end - start > 24) return decoder.decode(bytes.subarray(start, end));
  let text = "";
  for (let position = start; position < end; position += 1) {
    const byte = bytes[position] as number;
    if (byte > 0x7f) return decoder.decode(bytes.subarray(start, end));
    text += String.fromCharCode(byte);
  }
  return text;
}

export function textBytes(text: string): Uint8Array {
  if (text.length > shortLength) return encoder.encode(text);
  // For short ASCII texts, which names mostly are, a loop costs less than a call.
  const bytes = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    if (unit >= 0x80) return encoder.encode(text);
    bytes[index] = unit;
  }
  return bytes;
}

/** Characters of a text that is short. */
const shortLength = 32;

/** As `memcmp`, with the shorter first when one begins the other. */
export function compareBytes(one: Uint8Array, other: Uint8Array): number {
  const length = Math.min(one.length, other.length);
  for (let index = 0; index < length; index += 1) {
    const difference = (one[index] as number) - (other[index] as number);
    if (difference !== 0) return difference;
  }
  return one.length - other.length;
}

export function equalBytes(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && compareBytes(one, other) === 0;
}
