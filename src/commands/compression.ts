import { bsonType, elementsOf, EngineError, textOf, type Value } from "../engine/index.ts";

/** Ways of compressing messages that are served, by their names in the handshake (OP_COMPRESSED). */
export const compressors = ["zlib", "zstd"] as const;
export type Compressor = (typeof compressors)[number];

/** Those of a client's list that are served, in the client's order. Throws 14 TypeMismatch for what is no list of names. */
export function commonCompressors(list: Value): readonly Compressor[] {
  const names = list.type === bsonType.array ? elementsOf(list) : [];
  if (list.type !== bsonType.array || names.some(({ type }) => type !== bsonType.string))
    throw new EngineError(14, "TypeMismatch", "BSON field 'hello.compression' must be an array of strings");
  const wanted = new Set(names.map(textOf));
  return [...wanted].flatMap((name) => compressors.filter((known) => known === name));
}
