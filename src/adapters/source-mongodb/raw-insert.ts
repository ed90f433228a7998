import { createRequire } from "node:module";
import { type Document, type MongoClient, MongoServerError } from "mongodb";

/** The driver's own carrier of documents that are BSON already. It is not in its types, so its version is pinned and a test holds what it does. */
interface DocumentSequence {
  push(document: Document, bytes: Uint8Array): number;
}
const { DocumentSequence } = createRequire(import.meta.url)("mongodb/lib/cmap/commands.js") as {
  readonly DocumentSequence: new (field: string) => DocumentSequence;
};

/**
 * Inserts whole BSON documents, one after the other in one buffer, as the bytes they are: through the driver's types duplicate keys and the order of keys that look like
 * numbers would be lost. They are on a majority of members when it resolves. At most 48 MB and 100,000 documents.
 */
export async function insertRaw(
  client: MongoClient,
  database: string,
  collection: string,
  documents: Uint8Array,
): Promise<void> {
  const sequence = new DocumentSequence("documents");
  const buffer = Buffer.from(documents.buffer, documents.byteOffset, documents.length);
  for (let position = 0; position < buffer.length;) {
    const length = buffer.readInt32LE(position);
    sequence.push({}, buffer.subarray(position, position + length));
    position += length;
  }
  const answer = await client.db(database).command({
    insert: collection,
    documents: sequence,
    ordered: true,
    bypassDocumentValidation: true,
    writeConcern: { w: "majority" },
  });
  const [error] = (answer["writeErrors"] ?? []) as readonly Document[];
  if (error !== undefined) throw new MongoServerError(error);
  const concern = answer["writeConcernError"] as Document | undefined;
  if (concern !== undefined) throw new MongoServerError(concern);
}
