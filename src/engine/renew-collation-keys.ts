import { Catalog } from "./catalog/catalog.ts";
import { storedBatches } from "./planner/access.ts";
import { collationKeysVersion } from "./query/collation-keys.ts";
import type { Connection } from "./storage/database-file.ts";
import { indexKeys } from "./storage/index-keys.ts";

/**
 * Writes the keys of indexes with a collation anew where another ICU has made them, or a version of this engine that wrote the bytes of strings: the order of strings is
 * ICU's, and changes with it. Strings that have become equal stay in a unique index, which takes no further ones. One transaction for each index.
 */
export function renewCollationKeys(connection: Connection): void {
  const stale = new Set(
    connection
      .all("SELECT id FROM index_specification WHERE collator <> ?", collationKeysVersion)
      .map(([id]) => Number(id)),
  );
  if (stale.size === 0) return;
  const catalog = Catalog.load(connection);
  for (const record of catalog.databases().flatMap((name) => catalog.of(name)))
    for (const index of record.indexes) {
      if (index.collation === undefined || !stale.has(index.id)) continue;
      connection.execute("BEGIN IMMEDIATE");
      try {
        connection.run(`DELETE FROM x_${index.id}`);
        for (const batch of storedBatches(connection, record, { kind: "scan", sorted: true, backwards: false }))
          for (const { rowId, bytes } of batch)
            for (const key of indexKeys(index, bytes))
              connection.run(`INSERT INTO x_${index.id} (k, rid) VALUES (?, ?)`, key, rowId);
        connection.run("UPDATE index_specification SET collator = ? WHERE id = ?", collationKeysVersion, index.id);
        connection.execute("COMMIT");
      } catch (error) {
        connection.execute("ROLLBACK");
        throw error;
      }
    }
}
