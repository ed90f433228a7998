import { chmodSync, closeSync, existsSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import { DamagedFile, EngineError } from "../engine-error.ts";
import { preImageSchema } from "../oplog/pre-images.ts";
import { LogFlush } from "./log-flush.ts";

/** Marks the file as this engine's ("TLMN"), and names the version of what is in it. */
const applicationId = 0x54_4c_4d_4e;
const formatVersion = 4;

const schema = `
  CREATE TABLE meta (k TEXT PRIMARY KEY, v BLOB NOT NULL) STRICT;
  CREATE TABLE catalog (
    id INTEGER PRIMARY KEY AUTOINCREMENT, database TEXT NOT NULL, name TEXT NOT NULL, options BLOB NOT NULL, uuid BLOB NOT NULL,
    document_count INTEGER NOT NULL DEFAULT 0, data_size INTEGER NOT NULL DEFAULT 0, UNIQUE (database, name)
  ) STRICT;
  CREATE TABLE index_specification (
    id INTEGER PRIMARY KEY AUTOINCREMENT, collection_id INTEGER NOT NULL, name TEXT NOT NULL, specification BLOB NOT NULL, multikey INTEGER NOT NULL DEFAULT 0,
    UNIQUE (collection_id, name)
  ) STRICT;
  CREATE TABLE retry (session BLOB PRIMARY KEY, transaction_number INTEGER NOT NULL, result BLOB NOT NULL, used_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;
`;

/** What each version added to the one before, from version 2 on. */
const additions: ReadonlyMap<number, string> = new Map([
  // The operation log: rows are numbered by their times.
  [2, "CREATE TABLE c_0 (rid INTEGER PRIMARY KEY, d BLOB NOT NULL) STRICT;"],
  [3, preImageSchema],
  // What made the keys of an index with a collation.
  [4, "ALTER TABLE index_specification ADD COLUMN collator TEXT NOT NULL DEFAULT '';"],
]);
const wholeSchema = `${schema} ${[...additions.values()].join(" ")}`;

export type Row = readonly SQLInputValue[];

/** One connection, with its statements kept ready. Rows come as arrays. */
export class Connection {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  constructor(path: string, options: { readonly readOnly: boolean }) {
    this.#database = new DatabaseSync(path, { readOnly: options.readOnly, timeout: 5000 });
  }

  execute(sql: string): void {
    this.#database.exec(sql);
  }

  run(sql: string, ...parameters: SQLInputValue[]): { readonly changes: number; readonly lastRowId: number } {
    const result = this.#prepared(sql).run(...parameters);
    return { changes: Number(result.changes), lastRowId: Number(result.lastInsertRowid) };
  }

  all(sql: string, ...parameters: SQLInputValue[]): Row[] {
    return this.#prepared(sql).all(...parameters) as unknown as Row[];
  }

  get(sql: string, ...parameters: SQLInputValue[]): Row | undefined {
    return this.#prepared(sql).get(...parameters) as unknown as Row | undefined;
  }

  /** Stores a document of a collection; answers its row. */
  insertDocument(collectionId: number, key: Uint8Array, document: Uint8Array): number {
    return this.run(`INSERT INTO c_${collectionId} (k, d) VALUES (?, ?)`, key, document).lastRowId;
  }

  /** Forgets statements; needed when tables come and go. */
  forget(): void {
    this.#statements.clear();
  }

  close(): void {
    this.#statements.clear();
    this.#database.close();
  }

  #prepared(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    // Statements name tables, and there may be many: without a bound they would pile up.
    if (this.#statements.size > 1000) this.#statements.clear();
    const statement = this.#database.prepare(sql);
    statement.setReturnArrays(true);
    this.#statements.set(sql, statement);
    return statement;
  }
}

/** The connections of one data file: one that writes, one that reads the newest state, and one for each pinned state. */
export class DatabaseFile {
  readonly path: string;
  readonly writer: Connection;
  readonly reader: Connection;
  readonly log: LogFlush;

  constructor(path: string) {
    this.path = path;
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    if (!existsSync(path)) makeWhole(path);
    // SQLite gives its log files the mode of the main file.
    chmodSync(path, 0o600);
    this.writer = openChecked(path);
    this.reader = new Connection(path, { readOnly: true });
    this.log = new LogFlush(`${path}-wal`);
  }

  /** A connection that goes on seeing what is committed now. */
  openPinned(): Connection;
  openPinned<Pinned extends Connection>(open: (path: string) => Pinned): Pinned;
  openPinned(open: (path: string) => Connection = (path) => new Connection(path, { readOnly: true })): Connection {
    const connection = open(this.path);
    connection.execute("BEGIN");
    // A transaction sees the state at its first read, not at BEGIN.
    connection.get("SELECT count(*) FROM meta");
    return connection;
  }

  /** Folds the log into the one file and closes it. */
  async close(): Promise<void> {
    await this.log.close();
    this.reader.close();
    this.writer.execute("PRAGMA wal_checkpoint(TRUNCATE)");
    this.writer.close();
  }
}

/** Makes an empty data file under another name and gives it its own when it is on the disk: a file under its own name always has its tables, unless it was damaged. */
function makeWhole(path: string): void {
  const unfinished = `${path}.new`;
  for (const suffix of ["", "-wal", "-shm"]) rmSync(`${unfinished}${suffix}`, { force: true });
  closeSync(openSync(unfinished, "wx", 0o600));
  const connection = new Connection(unfinished, { readOnly: false });
  try {
    connection.execute(`PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${formatVersion}`);
    connection.execute(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; BEGIN; ${wholeSchema} COMMIT`);
  } finally {
    connection.close();
  }
  sync(unfinished);
  renameSync(unfinished, path);
  sync(dirname(path));
}

function sync(path: string): void {
  const file = openSync(path, "r");
  fsyncSync(file);
  closeSync(file);
}

function openChecked(path: string): Connection {
  const connection = new Connection(path, { readOnly: false });
  try {
    const found = Number(connection.get("PRAGMA application_id")?.[0]);
    const version = Number(connection.get("PRAGMA user_version")?.[0]);
    if (Number(connection.get("SELECT count(*) FROM sqlite_schema")?.[0]) === 0)
      throw new DamagedFile(`the data file ${path} is empty, which it never is when it is whole`);
    if (found !== applicationId) throw new DamagedFile(`${path} is not a data file of this engine`);
    if (version > formatVersion)
      throw new EngineError(
        37,
        "UnrecoverableRollbackError",
        `${path} was written by a newer version (format ${version})`,
      );
    connection.execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
    if (version < formatVersion) bringUpToDate(connection, version);
    return connection;
  } catch (error) {
    connection.close();
    if (error instanceof EngineError) throw error;
    throw new DamagedFile(`the data file ${path} is damaged or cannot be used: ${(error as Error).message}`);
  }
}

/** Adds what later versions have, in one transaction. Older programs refuse the file from then on. */
function bringUpToDate(connection: Connection, version: number): void {
  const missing = [...additions].filter(([added]) => added > version).map(([, sql]) => sql);
  connection.execute(`BEGIN IMMEDIATE; ${missing.join(" ")} PRAGMA user_version = ${formatVersion}; COMMIT`);
}
