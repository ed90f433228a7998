import { chmodSync, closeSync, fsyncSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import { SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler } from "kysely";
import type { CompiledQuery, DatabaseConnection, Dialect, Driver, QueryResult } from "kysely";

/** What differs between databases in the text of a migration. */
export interface ColumnTypes {
  /** 64-bit whole number. */
  readonly integer: string;
  /** Text that sorts by its bytes. */
  readonly text: string;
  readonly bytes: string;
  /** A primary key that counts up with every row. */
  readonly countingKey: string;
  /** Ends a table whose rows lie in the order of its primary key, where the database can do that. */
  readonly keptInKeyOrder: string;
}

export const sqliteColumnTypes: ColumnTypes = {
  integer: "integer",
  text: "text",
  bytes: "blob",
  countingKey: "integer PRIMARY KEY AUTOINCREMENT",
  keptInKeyOrder: "WITHOUT ROWID",
};

/** SQLite's name for a database that lives in memory and has one connection. */
export const inMemory = ":memory:";

/** Keeps every other holder out until it is released or this process is gone. */
export interface Hold {
  close(): void;
}

/**
 * Takes the exclusive hold on a database: a lock on the file `<path>.lock`, which the kernel gives back when the process dies, however it
 * dies. Throws when another process, or another opening in this one, has it.
 */
export function holdExclusively(path: string): Hold {
  const lockPath = `${path}.lock`;
  createPrivateFile(lockPath);
  const lock = new DatabaseSync(lockPath, { timeout: 0 });
  try {
    lock.exec("PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE");
  } catch (error) {
    lock.close();
    if (!isBusy(error)) throw error;
    throw new Error(`The metadata database ${path} is in use by another process.`, { cause: error });
  }
  return { close: () => lock.close() };
}

/** One connection that writes, every commit durable when it answers. */
export function openForWriting(path: string): DatabaseSync {
  if (path !== inMemory) createPrivateFile(path);
  const database = new DatabaseSync(path, { timeout: 5000, enableForeignKeyConstraints: true });
  try {
    database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA trusted_schema = OFF");
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** One connection beside it that cannot write. */
export function openForReading(path: string): DatabaseSync {
  const database = new DatabaseSync(path, { timeout: 5000 });
  database.exec("PRAGMA query_only = ON; PRAGMA trusted_schema = OFF");
  return database;
}

/** When a query may have the connection. */
export interface Turns {
  take(): Promise<void>;
  give(): void;
}

/** One at a time, first come first served: for the connection that has transactions. */
export function oneAtATime(): Turns {
  const waiting: (() => void)[] = [];
  let taken = false;
  return {
    take: () => {
      if (taken) return new Promise((resolve) => waiting.push(resolve));
      taken = true;
      return Promise.resolve();
    },
    give: () => {
      const next = waiting.shift();
      if (next === undefined) taken = false;
      else next();
    },
  };
}

/** No waiting: every statement is over before the next can begin, and nothing on the connection spans two of them. */
export function noTurns(): Turns {
  return { take: () => Promise.resolve(), give: () => {} };
}

/** Kysely's SQLite over `node:sqlite`. The connection stays the caller's to close. `used` is told right after every statement and every commit. */
export function nodeSqliteDialect(database: DatabaseSync, turns: Turns, used: () => void = () => undefined): Dialect {
  return {
    createDriver: () => new NodeSqliteDriver(database, turns, used),
    createQueryCompiler: () => new SqliteQueryCompiler(),
    createAdapter: () => new SqliteAdapter(),
    createIntrospector: (db) => new SqliteIntrospector(db),
  };
}

class NodeSqliteDriver implements Driver {
  readonly #database: DatabaseSync;
  readonly #turns: Turns;
  readonly #connection: NodeSqliteConnection;
  readonly #used: () => void;

  constructor(database: DatabaseSync, turns: Turns, used: () => void) {
    this.#database = database;
    this.#turns = turns;
    this.#used = used;
    this.#connection = new NodeSqliteConnection(database, used);
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    await this.#turns.take();
    return this.#connection;
  }

  async releaseConnection(): Promise<void> {
    this.#turns.give();
  }

  async beginTransaction(): Promise<void> {
    this.#database.exec("BEGIN IMMEDIATE");
  }

  async commitTransaction(): Promise<void> {
    this.#database.exec("COMMIT");
    this.#used();
  }

  async rollbackTransaction(): Promise<void> {
    // SQLite rolls back by itself on a full disk and the like; the first error must not be hidden behind "no transaction".
    if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
  }

  /** Who opened the connection closes it: Kysely does not get here when it was never used. */
  async destroy(): Promise<void> {}
}

interface KeptStatement {
  readonly statement: StatementSync;
  /** Names of the columns it answers; none when it only writes. */
  readonly columns: readonly string[];
}

/** Statements kept prepared; far more than the product has, so that only a stream of ever new texts throws them away. */
const keptStatementLimit = 500;

class NodeSqliteConnection implements DatabaseConnection {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, KeptStatement>();
  readonly #used: () => void;

  constructor(database: DatabaseSync, used: () => void) {
    this.#database = database;
    this.#used = used;
  }

  async executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
    const { statement, columns } = this.#prepare(query.sql);
    const parameters = query.parameters as readonly SQLInputValue[];
    if (columns.length > 0) {
      const rows = statement.all(...parameters) as unknown as readonly (readonly unknown[])[];
      this.#used();
      return { rows: rows.map((row) => objectOf(columns, row)) as Row[] };
    }
    const { changes, lastInsertRowid } = statement.run(...parameters);
    this.#used();
    return { rows: [], numAffectedRows: BigInt(changes), insertId: BigInt(lastInsertRowid) };
  }

  async *streamQuery<Row>(query: CompiledQuery): AsyncIterableIterator<QueryResult<Row>> {
    yield await this.executeQuery<Row>(query);
  }

  #prepare(sql: string): KeptStatement {
    const kept = this.#statements.get(sql);
    if (kept !== undefined) return kept;
    if (this.#statements.size >= keptStatementLimit) this.#statements.clear();
    const statement = this.#database.prepare(sql);
    // Arrays, because Node's row objects are slow to make and slow to read: a page of 500 snapshots takes twice as long with them.
    statement.setReturnArrays(true);
    const prepared = { statement, columns: statement.columns().map((column) => column.name) };
    this.#statements.set(sql, prepared);
    return prepared;
  }
}

function objectOf(columns: readonly string[], values: readonly unknown[]): Record<string, unknown> {
  const row: Record<string, unknown> = {};
  for (let index = 0; index < columns.length; index += 1) row[columns[index] as string] = values[index];
  return row;
}

function createPrivateFile(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  closeSync(openSync(path, "a", 0o600));
  chmodSync(path, 0o600);
  // SQLite syncs what is in the file; that the file is there at all is up to its folder.
  const folder = openSync(dirname(path), "r");
  fsyncSync(folder);
  closeSync(folder);
}

function isBusy(error: unknown): boolean {
  // SQLITE_BUSY and SQLITE_LOCKED with their extended codes (sqlite.org/rescode.html).
  const code = (error as { errcode?: unknown }).errcode;
  return typeof code === "number" && ((code & 0xff) === 5 || (code & 0xff) === 6);
}
