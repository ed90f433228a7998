import type { Namespace } from "../engine.ts";
import type { Connection } from "../storage/database-file.ts";
import { type IndexSpecification, parseIndexSpecification } from "./index-specification.ts";

/** A secondary index of a collection. */
export interface CollectionIndex extends IndexSpecification {
  /** Its table is `x_<id>`. */
  readonly id: number;
  /** Whether some document has more than one key in it. */
  readonly multikey: boolean;
}

/** A collection as one state of the file has it. */
export interface CollectionRecord {
  /** Its table is `c_<id>`. */
  readonly id: number;
  readonly database: string;
  readonly name: string;
  readonly options: Uint8Array;
  readonly uuid: Uint8Array;
  readonly documentCount: number;
  readonly dataSizeBytes: number;
  readonly indexes: readonly CollectionIndex[];
}

/** A collection that has just been made. */
export function emptyRecord(
  id: number,
  { database, collection }: Namespace,
  options: Uint8Array,
  uuid: Uint8Array,
): CollectionRecord {
  return { id, database, name: collection, options, uuid, documentCount: 0, dataSizeBytes: 0, indexes: [] };
}

/** Every collection of one state of the file. Never changed in place: a reader keeps the one it began with. */
export class Catalog {
  readonly #collections: ReadonlyMap<string, CollectionRecord>;

  constructor(collections: ReadonlyMap<string, CollectionRecord>) {
    this.#collections = collections;
  }

  static load(connection: Connection): Catalog {
    const indexes = Map.groupBy(
      connection
        .all("SELECT id, collection_id, specification, multikey FROM index_specification ORDER BY id")
        .map((row) => ({
          ...parseIndexSpecification(row[2] as Uint8Array),
          id: Number(row[0]),
          collectionId: Number(row[1]),
          multikey: Number(row[3]) !== 0,
        })),
      (index) => index.collectionId,
    );
    const collections = new Map<string, CollectionRecord>();
    for (const row of connection.all(
      "SELECT id, database, name, options, uuid, document_count, data_size FROM catalog",
    )) {
      const record: CollectionRecord = {
        id: Number(row[0]),
        database: String(row[1]),
        name: String(row[2]),
        options: row[3] as Uint8Array,
        uuid: row[4] as Uint8Array,
        documentCount: Number(row[5]),
        dataSizeBytes: Number(row[6]),
        indexes: indexes.get(Number(row[0])) ?? [],
      };
      collections.set(`${record.database}.${record.name}`, record);
    }
    return new Catalog(collections);
  }

  find({ database, collection }: Namespace): CollectionRecord | undefined {
    return this.#collections.get(`${database}.${collection}`);
  }

  /** In name order. */
  of(database: string): readonly CollectionRecord[] {
    return [...this.#collections.values()]
      .filter((record) => record.database === database)
      .toSorted((one, other) => (one.name < other.name ? -1 : 1));
  }

  databases(): readonly string[] {
    return [...new Set([...this.#collections.values()].map((record) => record.database))].toSorted();
  }

  with(record: CollectionRecord): Catalog {
    return new Catalog(new Map(this.#collections).set(`${record.database}.${record.name}`, record));
  }

  withAll(records: readonly CollectionRecord[]): Catalog {
    const collections = new Map(this.#collections);
    for (const record of records) collections.set(`${record.database}.${record.name}`, record);
    return new Catalog(collections);
  }

  without({ database, collection }: Namespace): Catalog {
    const collections = new Map(this.#collections);
    collections.delete(`${database}.${collection}`);
    return new Catalog(collections);
  }
}
