import type { CollectionDescription } from "../../ports/snapshot-repository.ts";

/** A document's bytes as the driver gives them with `raw: true`. */
export type RawDocument = Uint8Array;

const emptyDocument = Uint8Array.of(5, 0, 0, 0, 0);

/**
 * A collection from the bytes `listCollections` answered; nothing of it is decoded and encoded again. Throws on bytes that are no catalogue
 * answer, and on a type of collection that is not known.
 */
export async function describeCollection(
  database: string,
  document: RawDocument,
  listIndexes: (name: string) => Promise<readonly RawDocument[]>,
): Promise<CollectionDescription> {
  const fields = topLevel(document);
  const name = text(fields.get("name"));
  const type = text(fields.get("type")) || "collection";
  if (type !== "collection" && type !== "view" && type !== "timeseries") {
    throw new Error(`${database}.${name} is of the unknown type ${type} and cannot be backed up`);
  }
  const info = fields.get("info");
  const uuid = info?.type === 0x03 ? topLevel(info.bytes).get("uuid") : undefined;
  return {
    database,
    name,
    type,
    // Binary: length, subtype, then the 16 bytes.
    ...(uuid?.type === 0x05 && uuid.bytes.length === 21 ? { uuid: Uint8Array.from(uuid.bytes.subarray(5)) } : {}),
    options: Uint8Array.from(fields.get("options")?.bytes ?? emptyDocument),
    // Copies: what the driver gives are slices of the reply's buffer.
    indexes: type === "view" ? [] : (await listIndexes(name)).map((index) => Uint8Array.from(index)),
  };
}

/** The name that a `listCollections` answer carries. */
export function nameOf(document: RawDocument): string {
  return text(topLevel(document).get("name"));
}

interface RawField {
  readonly type: number;
  readonly bytes: Uint8Array;
}

/** Fields of a document that a server sent: values stay bytes, and what leads out of the document is refused. */
function topLevel(document: Uint8Array): Map<string, RawField> {
  const view = Buffer.from(document.buffer, document.byteOffset, document.length);
  const fields = new Map<string, RawField>();
  const last = view.length - 1;
  let position = 4;
  while (position < last) {
    const type = view[position] as number;
    const nameEnd = view.indexOf(0, position + 1);
    const start = nameEnd + 1;
    const end = nameEnd < 0 ? -1 : start + lengthOf(type, view, start);
    if (end < start || end > last) throw malformed();
    fields.set(view.toString("utf8", position + 1, nameEnd), { type, bytes: view.subarray(start, end) });
    position = end;
  }
  if (position !== last || view.readInt32LE(0) !== view.length) throw malformed();
  return fields;
}

/** Bytes that a value takes; only types that occur at the top of catalogue answers. */
function lengthOf(type: number, view: Buffer, at: number): number {
  const stated = (): number => (at + 4 <= view.length ? view.readInt32LE(at) : Number.NaN);
  switch (type) {
    case 0x02:
      return 4 + stated();
    case 0x03:
    case 0x04:
      return stated();
    case 0x05:
      return 5 + stated();
    case 0x07:
      return 12;
    case 0x08:
      return 1;
    case 0x0a:
      return 0;
    case 0x10:
      return 4;
    case 0x01:
    case 0x09:
    case 0x11:
    case 0x12:
      return 8;
    case 0x13:
      return 16;
    default:
      throw new Error(`a catalogue answer holds a value of type ${type}, which is not expected there`);
  }
}

function malformed(): Error {
  return new Error("the source's catalogue answer is no whole BSON document");
}

function text(field: RawField | undefined): string {
  return field?.type === 0x02 ? Buffer.from(field.bytes.subarray(4, -1)).toString() : "";
}
