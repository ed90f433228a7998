import { EngineError } from "./engine-error.ts";
import { readInt32 } from "./bson/bytes.ts";
import type { CollectionWriter } from "./storage/collection-writer.ts";
import type { Pace } from "./storage/turns.ts";

/** Stores whole documents given one after the other in one buffer, as they are. Throws 22 InvalidBSON for what is no such sequence. */
export async function loadDocuments(writer: CollectionWriter, documents: Uint8Array, pace: Pace): Promise<void> {
  for (let position = 0; position < documents.length;) {
    const length = readInt32(documents, position);
    if (length < 5 || position + length > documents.length)
      throw new EngineError(22, "InvalidBSON", "what is to be loaded is no sequence of whole documents");
    await pace.drain(writer.insertion(documents.subarray(position, position + length)));
    position += length;
    if (pace.due) await pace.rest();
  }
}
