import type { Connection } from "../storage/database-file.ts";

/**
 * Documents as they were before an update, a replacement or a removal, of collections with `changeStreamPreAndPostImages` (manual, "Change Streams with Document Pre-
 * and Post-Images"). Kept by the entry of the operation log that tells of the change, and gone with it at the latest. `upto` counts the bytes of all images written,
 * so that what the newest hold is known without adding them up.
 */
export const preImageSchema = `
  CREATE TABLE pre_image (upto INTEGER PRIMARY KEY, rid INTEGER NOT NULL, position INTEGER NOT NULL, d BLOB NOT NULL, UNIQUE (rid, position)) STRICT;
`;

/** Writes images in one write transaction. */
export class PreImageWriter {
  readonly #connection: Connection;
  #upto: number | undefined;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Of the operation at a position in the entry of a row: 0, unless it is a transaction's. */
  write(rowId: number, position: number, document: Uint8Array): void {
    this.#upto ??= Number(this.#connection.get("SELECT max(upto) FROM pre_image")?.[0] ?? 0);
    this.#upto += document.length;
    this.#connection.run(
      "INSERT INTO pre_image (upto, rid, position, d) VALUES (?, ?, ?, ?)",
      this.#upto,
      rowId,
      position,
      document,
    );
  }

  /** Takes away the oldest when all hold more than `maxBytes`; never the newest. */
  finish(maxBytes: number): void {
    if (this.#upto === undefined || this.#upto <= maxBytes) return;
    this.#connection.run(
      "DELETE FROM pre_image WHERE upto < ? AND upto <= (SELECT min(upto) FROM pre_image WHERE upto >= ?)",
      this.#upto,
      this.#upto - maxBytes,
    );
  }

  /** Takes away those of entries that have left the log. */
  dropThrough(rowId: number): void {
    this.#connection.run("DELETE FROM pre_image WHERE rid <= ?", rowId);
  }
}

/** The document before an operation; undefined when it was not kept, or no longer is. */
export function readPreImage(connection: Connection, rowId: number, position: number): Uint8Array | undefined {
  return connection.get("SELECT d FROM pre_image WHERE rid = ? AND position = ?", rowId, position)?.[0] as
    | Uint8Array
    | undefined;
}
