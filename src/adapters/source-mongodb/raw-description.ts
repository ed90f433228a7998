import type { CollectionDescription } from "../../ports/snapshot-repository.ts";
import { elementsOf } from "../../shared/bson-element.ts";

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

/** Fields of a document that a server sent: values stay bytes. Throws on bytes that are no document. */
function topLevel(document: Uint8Array): Map<string, RawField> {
  return new Map(
    Array.from(elementsOf(document), ({ type, name, valueStart, end }) => [
      name,
      { type, bytes: document.subarray(valueStart, end) },
    ]),
  );
}

function text(field: RawField | undefined): string {
  return field?.type === 0x02 ? Buffer.from(field.bytes.subarray(4, -1)).toString() : "";
}
