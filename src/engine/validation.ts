import { EngineError } from "./engine-error.ts";
import { buildDocument } from "./bson/builder.ts";
import { nullValue } from "./bson/value.ts";
import { getField } from "./bson/walk.ts";
import type { CollectionRecord } from "./catalog/catalog.ts";
import { settingsOf } from "./catalog/collection-settings.ts";
import { explainMismatch } from "./query/mismatch.ts";

/** A document that the rules of its collection do not allow; nothing of it was written. */
export class DocumentInvalid extends EngineError {
  /** BSON document `{failingDocumentId, details}`. */
  readonly details: Uint8Array;

  constructor(details: Uint8Array) {
    super(121, "DocumentValidationFailure", "Document failed validation");
    this.details = details;
  }
}

/** Told of a document that was written though it is not as the rules say (`validationAction: "warn"`). */
export type Warn = (fields: { readonly namespace: string }, message: string) => void;

/**
 * Holds a document that is to be written to the validator of its collection (manual, "Schema Validation"). `before` is what it replaces: at level `moderate` what did
 * not fit before need not fit now. Throws 121 DocumentValidationFailure.
 */
export function validate(
  record: CollectionRecord,
  before: Uint8Array | undefined,
  document: Uint8Array,
  warn: Warn,
): void {
  const { validation } = settingsOf(record);
  if (validation === undefined || validation.level === "off") return;
  const { filter, options } = validation;
  if (filter.matches(document)) return;
  if (validation.level === "moderate" && before !== undefined && !filter.matches(before)) return;
  if (validation.action === "warn") {
    warn({ namespace: `${record.database}.${record.name}` }, "Document would fail validation");
    return;
  }
  throw new DocumentInvalid(
    buildDocument([
      ["failingDocumentId", getField(document, "_id") ?? nullValue],
      ["details", explainMismatch(filter.query, document, options)],
    ]),
  );
}
