import type { CollectionDescription } from "../../ports/snapshot-repository.ts";

/** A document's bytes as the driver gives them with `raw: true`. */
export type RawDocument = Uint8Array;

const emptyDocument = Uint8Array.of(5, 0, 0, 0, 0);

/** A collection from the bytes `listCollections` answered; nothing of it is decoded and encoded again. */
export async function describeCollection(database: string, document: RawDocument, listIndexes: (name: string) => Promise<RawDocument[]>): Promise<CollectionDescription> {
  const fields = topLevel(document);
  const name = text(fields.get("name"));
  const type = text(fields.get("type")) || "collection";
  if (type !== "collection" && type !== "view" && type !== "timeseries") throw new Error(`a collection of the unknown type ${type} cannot be stored`);
  const info = fields.get("info");
  const uuid = info === undefined ? undefined : topLevel(info.bytes).get("uuid");
  return {
    database,
    name,
    type,
    // Binary: length, subtype, then the bytes.
    ...(uuid === undefined || uuid.bytes.length !== 21 ? {} : { uuid: Uint8Array.from(uuid.bytes.subarray(5)) }),
    options: Uint8Array.from(fields.get("options")?.bytes ?? emptyDocument),
    indexes: type === "view" ? [] : (await listIndexes(name)).map((index) => Uint8Array.from(index)),
  };
}

interface RawField {
  readonly type: number;
  readonly bytes: Uint8Array;
}

/** Fields of a document from a server: types that occur in catalogue answers. */
function topLevel(document: Uint8Array): Map<string, RawField> {
  const view = Buffer.from(document.buffer, document.byteOffset, document.length);
  const fields = new Map<string, RawField>();
  let position = 4;
  while (position < view.length - 1) {
    const type = view[position] as number;
    const nameEnd = view.indexOf(0, position + 1);
    const start = nameEnd + 1;
    const end = start + lengthOf(type, view, start);
    fields.set(view.toString("utf8", position + 1, nameEnd), { type, bytes: view.subarray(start, end) });
    position = end;
  }
  return fields;
}

function lengthOf(type: number, view: Buffer, at: number): number {
  switch (type) {
    case 0x02:
      return 4 + view.readInt32LE(at);
    case 0x03:
    case 0x04:
      return view.readInt32LE(at);
    case 0x05:
      return 5 + view.readInt32LE(at);
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

function text(field: RawField | undefined): string {
  return field?.type === 0x02 ? Buffer.from(field.bytes.subarray(4, -1)).toString() : "";
}
