import { buildDocument } from "../bson/builder.ts";
import type { Value } from "../bson/value.ts";
import { fieldsOf } from "../bson/walk.ts";

/** The fields of all documents; a later one's value stands in the place of the earlier one's of that name (manual, "$mergeObjects"). */
export function mergeDocuments(documents: readonly Uint8Array[]): Uint8Array {
  const fields = new Map<string, Value>();
  for (const document of documents) for (const { name, value } of fieldsOf(document)) fields.set(name, value);
  return buildDocument(fields);
}
