import { typeMismatch, notSupported } from "../engine-error.ts";
import { buildDocument } from "../bson/builder.ts";
import { bsonType, typeName } from "../bson/types.ts";
import { documentValue, type Value } from "../bson/value.ts";
import { fieldsOf } from "../bson/walk.ts";
import { parseCollation } from "../query/collation.ts";

/** Options that change what a collection is and are not supported: refused, not kept and ignored. */
const refused = new Set([
  "capped",
  "timeseries",
  "viewOn",
  "pipeline",
  "validator",
  "validationLevel",
  "validationAction",
  "clusteredIndex",
  "encryptedFields",
  "expireAfterSeconds",
  "changeStreamPreAndPostImages",
  "size",
  "max",
]);

/** The options of a new collection as they are kept and listed: a collation with all its fields. Throws 238 for what is not supported, and what a bad option throws. */
export function checkedOptions(options: Uint8Array): Uint8Array {
  const kept: [string, Value][] = [];
  for (const { name, value } of fieldsOf(options)) {
    if (refused.has(name)) throw notSupported(`the collection option ${name}`);
    if (name !== "collation") kept.push([name, value]);
    else if (value.type !== bsonType.object)
      throw typeMismatch(
        `BSON field 'create.collation' is the wrong type '${typeName(value.type)}', expected type 'object'`,
      );
    else {
      const collation = parseCollation(value.bytes());
      if (collation !== undefined) kept.push([name, documentValue(collation.specification)]);
    }
  }
  return buildDocument(kept);
}
