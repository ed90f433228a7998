import { failedToParse } from "../engine-error.ts";
import { bsonType } from "../bson/types.ts";
import { stringValue, textOf, Value } from "../bson/value.ts";
import { conversionFailure } from "./dates/parse.ts";

/** How text stands for bytes (manual, "$convert", `format`). */
const formats = ["auto", "base64", "base64url", "hex", "utf8", "uuid"] as const;
export type BinaryFormat = (typeof formats)[number];

const uuidSubtype = 4;
const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Throws 9 for what names no format. */
export function binaryFormat(value: Value): BinaryFormat {
  const text = value.type === bsonType.string ? textOf(value) : "";
  const found = formats.find((format) => format === text);
  if (found === undefined) throw failedToParse(`Invalid 'format' argument for $convert: ${text}`);
  return found;
}

/** Bytes of a text. Throws 241 for a text that is not of the format, and for UUIDs that do not go with the subtype. */
export function binaryOfText(text: string, format: BinaryFormat | undefined, subtype: number): Value {
  if (format === undefined || format === "auto")
    throw conversionFailure(
      "A specific format must be provided when attempting to convert from string into 'binData'.",
    );
  if ((format === "uuid") !== (subtype === uuidSubtype))
    throw notOfFormat(text, "Only the UUID subtype (4) is allowed with the 'uuid' format");
  const bytes = decoded(text, format);
  if (bytes === undefined)
    throw notOfFormat(text, `The provided input does not represent a properly formatted ${format} value`);
  return binaryValue(bytes, subtype);
}

/** Bytes as text; `auto` is UUIDs for what they are, and base64 for all else. Throws 241 for bytes that the format has no text for. */
export function textOfBinary(value: Value, format: BinaryFormat | undefined): Value {
  if (format === undefined)
    throw conversionFailure("A format must be provided when attempting to convert from 'binData' into string.");
  const { subtype, content } = contentOf(value);
  const wanted = format === "auto" ? (subtype === uuidSubtype ? "uuid" : "base64") : format;
  switch (wanted) {
    case "base64":
    case "base64url":
      return stringValue(content.toString(wanted));
    case "hex":
      return stringValue(content.toString("hex").toUpperCase());
    case "uuid": {
      if (subtype !== uuidSubtype || content.length !== 16)
        throw conversionFailure("Only bytes of the UUID subtype (4) can be converted with the 'uuid' format");
      return stringValue(content.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-"));
    }
    default: {
      const text = content.toString("utf8");
      if (!Buffer.from(text, "utf8").equals(content)) throw conversionFailure("The bytes are no valid UTF-8");
      return stringValue(text);
    }
  }
}

/** Throws 241 for bytes of another subtype. */
export function sameSubtype(value: Value, subtype: number): Value {
  if (contentOf(value).subtype !== subtype)
    throw conversionFailure("Conversions between different binData subtypes are not supported");
  return value;
}

function decoded(text: string, format: Exclude<BinaryFormat, "auto">): Buffer | undefined {
  switch (format) {
    case "base64":
      return text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text) ? Buffer.from(text, "base64") : undefined;
    case "base64url":
      return /^[A-Za-z0-9_-]*={0,2}$/.test(text) && text.replace(/=+$/, "").length % 4 !== 1
        ? Buffer.from(text, "base64url")
        : undefined;
    case "hex":
      return /^([0-9a-f]{2})*$/i.test(text) ? Buffer.from(text, "hex") : undefined;
    case "uuid":
      return uuidPattern.test(text) ? Buffer.from(text.replaceAll("-", ""), "hex") : undefined;
    case "utf8":
      return Buffer.from(text, "utf8");
  }
}

function notOfFormat(text: string, reason: string): Error {
  return conversionFailure(
    `Unable to interpret BinData '${text}' during $convert operation due to missing onError parameter: ${reason}`,
  );
}

/** Length, subtype, bytes. */
function binaryValue(content: Uint8Array, subtype: number): Value {
  const bytes = Buffer.alloc(5 + content.length);
  bytes.writeInt32LE(content.length, 0);
  bytes[4] = subtype;
  bytes.set(content, 5);
  return new Value(bsonType.binData, bytes);
}

function contentOf(value: Value): { readonly subtype: number; readonly content: Buffer } {
  const bytes = value.bytes();
  return { subtype: bytes[4] as number, content: Buffer.from(bytes.subarray(5)) };
}
