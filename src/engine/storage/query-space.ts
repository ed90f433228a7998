import { closeSync, existsSync, openSync, readdirSync, readSync, rmSync, writeSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { EngineError } from "../engine-error.ts";
import type { Room } from "../query/flow.ts";

/** Bytes that a step of a query may hold, as in MongoDB. */
export const queryMemoryDefaultMaxBytes = 100 * 1024 * 1024;

export interface QuerySpaceOptions {
  /** Bytes that a step of a query may hold in memory; 100 MB when left out. */
  readonly queryMemoryMaxBytes?: number;
  /** Bytes that all queries of the data file may lay on the disk at once; 4 GiB when left out. */
  readonly spillMaxBytes?: number;
}

/** What steps of queries may use; where they lay what memory does not hold: files beside the data file, which no other name leads to and which go with the query. */
export class QuerySpace implements Room {
  readonly memoryMaxBytes: number;
  readonly #prefix: string;
  readonly #diskMaxBytes: number;
  readonly #files = new Set<SpillFile>();
  #usedBytes = 0;
  #opened = 0;

  /** Removes what a crash left. */
  constructor(dataPath: string, options: QuerySpaceOptions) {
    this.memoryMaxBytes = options.queryMemoryMaxBytes ?? queryMemoryDefaultMaxBytes;
    this.#diskMaxBytes = options.spillMaxBytes ?? 4 * 1024 * 1024 * 1024;
    this.#prefix = `${dataPath}.spill-`;
    const [folder, name] = [dirname(dataPath), basename(this.#prefix)];
    if (existsSync(folder))
      for (const entry of readdirSync(folder)) if (entry.startsWith(name)) rmSync(join(folder, entry), { force: true });
  }

  /** Bytes that lie on the disk now. */
  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** A new, empty file. Throws 14031 OutOfDiskSpace. */
  readonly openFile = (): SpillFile => {
    this.#opened += 1;
    const file = new SpillFile(`${this.#prefix}${this.#opened}`, {
      take: (sizeBytes) => {
        if (this.#usedBytes + sizeBytes > this.#diskMaxBytes)
          throw outOfSpace(`all queries of this database together may use ${this.#diskMaxBytes} bytes of disk`);
        this.#usedBytes += sizeBytes;
      },
      closed: (sizeBytes) => {
        this.#usedBytes -= sizeBytes;
        this.#files.delete(file);
      },
    });
    this.#files.add(file);
    return file;
  };

  /** Closes what is still open. */
  close(): void {
    for (const file of this.#files) file.close();
  }
}

interface Account {
  take(sizeBytes: number): void;
  closed(sizeBytes: number): void;
}

/** A file that is written from begin to end and read anywhere. */
export class SpillFile {
  readonly #path: string;
  readonly #account: Account;
  readonly #file: number;
  #sizeBytes = 0;
  #open = true;

  constructor(path: string, account: Account) {
    this.#path = path;
    this.#account = account;
    this.#file = onDisk(() => openSync(path, "wx+", 0o600));
    // An open file needs no name; without one it cannot outlive the process. Windows refuses, and lets it go when it is closed.
    if (process.platform !== "win32") rmSync(path, { force: true });
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** Throws 14031 OutOfDiskSpace. */
  append(bytes: Uint8Array): void {
    this.#account.take(bytes.length);
    const start = this.#sizeBytes;
    this.#sizeBytes += bytes.length;
    onDisk(() => {
      for (let done = 0; done < bytes.length;)
        done += writeSync(this.#file, bytes, done, bytes.length - done, start + done);
    });
  }

  /** As many bytes as are there, up to the target's length. */
  read(target: Uint8Array, position: number): number {
    let done = 0;
    for (;;) {
      const count = onDisk(() => readSync(this.#file, target, done, target.length - done, position + done));
      done += count;
      if (count === 0 || done === target.length) return done;
    }
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    closeSync(this.#file);
    rmSync(this.#path, { force: true });
    this.#account.closed(this.#sizeBytes);
  }
}

function onDisk<Result>(work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ENOSPC" || code === "EDQUOT") throw outOfSpace(message);
    throw error;
  }
}

function outOfSpace(why: string): EngineError {
  return new EngineError(14_031, "OutOfDiskSpace", `a query cannot lay its data on the disk: ${why}`);
}
