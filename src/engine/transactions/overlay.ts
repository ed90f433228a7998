import { Connection } from "../storage/database-file.ts";
import type { CollectionRecord } from "../catalog/catalog.ts";

/** Rows that a transaction adds have numbers from here on, behind all that are stored. */
export const firstAddedRow = 2 ** 52;

/**
 * A connection on a pinned state that shows a transaction's own writes on top of it. Before the first write to a collection its tables are hidden behind temporary
 * views of the same names: what is stored without what the transaction removed or replaced, and what it wrote, which lies in temporary tables in memory. So every
 * query of the engine sees both in the right order, and the file is not touched.
 */
export class Overlay extends Connection {
  readonly #covered = new Set<number>();
  #nextRow = firstAddedRow;

  constructor(path: string) {
    super(path, { readOnly: true });
    this.execute("PRAGMA temp_store = MEMORY");
  }

  /** Makes a collection ready for writes. */
  cover({ id, indexes }: CollectionRecord): void {
    if (this.#covered.has(id)) return;
    this.#covered.add(id);
    this.execute(coveredDocuments(id));
    for (const index of indexes) this.execute(coveredIndex(index.id));
    this.forget();
  }

  /** Makes tables of a collection that is not stored. */
  create(id: number): void {
    this.#covered.add(id);
    this.execute(`CREATE TEMP TABLE c_${id} (rid INTEGER PRIMARY KEY, k BLOB NOT NULL UNIQUE, d BLOB NOT NULL) STRICT`);
    this.forget();
  }

  /** Makes the table of an index of such a collection. */
  createIndex(id: number): void {
    this.execute(`CREATE TEMP TABLE x_${id} ${indexColumns}`);
    this.forget();
  }

  override insertDocument(collectionId: number, key: Uint8Array, document: Uint8Array): number {
    const rowId = this.#nextRow;
    this.#nextRow += 1;
    this.run(`INSERT INTO c_${collectionId} (rid, k, d) VALUES (?, ?, ?)`, rowId, key, document);
    return rowId;
  }
}

const indexColumns = "(k BLOB NOT NULL, rid INTEGER NOT NULL, PRIMARY KEY (k, rid)) STRICT, WITHOUT ROWID";

function coveredDocuments(id: number): string {
  return `
    CREATE TEMP TABLE added_c_${id} (rid INTEGER PRIMARY KEY, k BLOB NOT NULL UNIQUE, d BLOB NOT NULL) STRICT;
    CREATE TEMP TABLE gone_c_${id} (rid INTEGER PRIMARY KEY) STRICT;
    CREATE TEMP VIEW c_${id} AS
      SELECT rid, k, d FROM main.c_${id} WHERE rid NOT IN (SELECT rid FROM gone_c_${id})
      UNION ALL SELECT rid, k, d FROM added_c_${id};
    CREATE TEMP TRIGGER insert_c_${id} INSTEAD OF INSERT ON c_${id} BEGIN
      INSERT INTO added_c_${id} VALUES (NEW.rid, NEW.k, NEW.d);
    END;
    CREATE TEMP TRIGGER update_c_${id} INSTEAD OF UPDATE ON c_${id} BEGIN
      INSERT OR IGNORE INTO gone_c_${id} VALUES (OLD.rid);
      INSERT OR REPLACE INTO added_c_${id} VALUES (OLD.rid, NEW.k, NEW.d);
    END;
    CREATE TEMP TRIGGER delete_c_${id} INSTEAD OF DELETE ON c_${id} BEGIN
      INSERT OR IGNORE INTO gone_c_${id} VALUES (OLD.rid);
      DELETE FROM added_c_${id} WHERE rid = OLD.rid;
    END;`;
}

function coveredIndex(id: number): string {
  return `
    CREATE TEMP TABLE added_x_${id} ${indexColumns};
    CREATE TEMP TABLE gone_x_${id} ${indexColumns};
    CREATE TEMP VIEW x_${id} AS
      SELECT k, rid FROM main.x_${id} AS stored
        WHERE NOT EXISTS (SELECT 1 FROM gone_x_${id} AS gone WHERE gone.k = stored.k AND gone.rid = stored.rid)
      UNION ALL SELECT k, rid FROM added_x_${id};
    CREATE TEMP TRIGGER insert_x_${id} INSTEAD OF INSERT ON x_${id} BEGIN
      INSERT INTO added_x_${id} VALUES (NEW.k, NEW.rid);
    END;
    CREATE TEMP TRIGGER delete_x_${id} INSTEAD OF DELETE ON x_${id} BEGIN
      INSERT OR IGNORE INTO gone_x_${id} VALUES (OLD.k, OLD.rid);
      DELETE FROM added_x_${id} WHERE k = OLD.k AND rid = OLD.rid;
    END;`;
}
