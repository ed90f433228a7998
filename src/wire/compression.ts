import { promisify } from "node:util";
import { constants, deflate, inflate, zstdCompress, zstdDecompress } from "node:zlib";
import type { Compressor } from "../commands/compression.ts";
import { readInt32, writeInt32 } from "../engine/index.ts";
import { headerLength, opMsg, ProtocolError } from "./frame.ts";

export const opCompressed = 2012;
/** The original operation code, its length and the compressor, between the header and the compressed bytes. */
const prefixLength = 9;
const compressorIds: Readonly<Record<Compressor, number>> = { zlib: 2, zstd: 3 };
/** The window that encoders take for data of unknown length at their usual levels (2 MiB); smaller ones would refuse honest clients. */
const windowLeastLog = 21;
const windowMostLog = 26;

/** A message whose header was read, and nothing else of it. */
export interface CompressedMessage {
  readonly message: Uint8Array;
  readonly compressor: Compressor;
  /** What its content is announced to be, without the header. */
  readonly contentBytes: number;
}

/**
 * Reads the header of an OP_COMPRESSED, for a client that agreed on `agreed` and may send messages of `maxBytes`. Nothing is allocated by what it announces.
 * Throws `ProtocolError`.
 */
export function readCompressed(
  message: Uint8Array,
  agreed: readonly Compressor[],
  maxBytes: number,
): CompressedMessage {
  if (message.length < headerLength + prefixLength) throw new ProtocolError("a compressed message is too short");
  const opCode = readInt32(message, headerLength);
  const contentBytes = readInt32(message, headerLength + 4);
  const id = message[headerLength + 8];
  const compressor = agreed.find((candidate) => compressorIds[candidate] === id);
  if (compressor === undefined) throw new ProtocolError(`compressor ${id} was not agreed upon`);
  if (opCode !== opMsg) throw new ProtocolError(`operation code ${opCode} is not served compressed`);
  if (contentBytes < 5 || contentBytes > maxBytes - headerLength)
    throw new ProtocolError(`a message of ${contentBytes} bytes and its header is not possible`);
  return { message, compressor, contentBytes };
}

/** The message as it was before it was compressed. Never makes more than was announced. Throws `ProtocolError`. */
export async function expand({ message, compressor, contentBytes }: CompressedMessage): Promise<Uint8Array> {
  const packed = message.subarray(headerLength + prefixLength);
  let content: Uint8Array;
  try {
    content =
      compressor === "zlib"
        ? await inflateBytes(packed, { maxOutputLength: contentBytes })
        : await zstdDecompressBytes(packed, {
            maxOutputLength: contentBytes,
            params: { [constants.ZSTD_d_windowLogMax]: windowLogMaxOf(contentBytes) },
          });
  } catch {
    throw new ProtocolError("a compressed message cannot be expanded to what it announces");
  }
  if (content.length !== contentBytes) throw new ProtocolError("a compressed message is shorter than it announces");
  const whole = Buffer.allocUnsafe(headerLength + contentBytes);
  whole.set(message.subarray(0, headerLength));
  writeInt32(whole, 0, whole.length);
  writeInt32(whole, 12, opMsg);
  whole.set(content, headerLength);
  return whole;
}

/** A reply compressed; as it is when that would make it no shorter. */
export async function compress(reply: Uint8Array, compressor: Compressor): Promise<Uint8Array> {
  const content = reply.subarray(headerLength);
  const packed = compressor === "zlib" ? await deflateBytes(content) : await zstdCompressBytes(content);
  const length = headerLength + prefixLength + packed.length;
  if (length >= reply.length) return reply;
  const whole = Buffer.allocUnsafe(length);
  whole.set(reply.subarray(0, headerLength));
  writeInt32(whole, 0, length);
  writeInt32(whole, 12, opCompressed);
  writeInt32(whole, headerLength, readInt32(reply, 12));
  writeInt32(whole, headerLength + 4, content.length);
  whole[headerLength + 8] = compressorIds[compressor];
  whole.set(packed, headerLength + prefixLength);
  return whole;
}

/** A decoder takes its window at once: no larger than what it may write. */
function windowLogMaxOf(contentBytes: number): number {
  return Math.min(Math.max(Math.ceil(Math.log2(contentBytes)), windowLeastLog), windowMostLog);
}

// Off the thread that serves every database.
const inflateBytes = promisify<Uint8Array, object, Uint8Array>(inflate);
const deflateBytes = promisify<Uint8Array, Uint8Array>(deflate);
const zstdCompressBytes = promisify<Uint8Array, Uint8Array>(zstdCompress);
const zstdDecompressBytes = promisify<Uint8Array, object, Uint8Array>(zstdDecompress);
