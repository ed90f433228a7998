import { closeSync, fdatasync, openSync } from "node:fs";
import { promisify } from "node:util";
import { EngineError } from "../engine-error.ts";

const syncData = promisify(fdatasync);

/**
 * Brings commits to the disk. SQLite writes a commit into its log file and does not wait for the disk (`synchronous = NORMAL`); who promised durability waits
 * here. The wait is in the thread pool, so that reads go on meanwhile, and one flush serves every commit before it: with many clients that is the difference
 * between one and many. SQLite itself flushes the log before it folds it into the main file, so that no order is ever wrong.
 */
export class LogFlush {
  readonly #path: string;
  readonly #sync: (file: number) => Promise<void>;
  #file: number | undefined;
  #committed = 0;
  #flushed = 0;
  #running: Promise<void> | undefined;
  #failure: EngineError | undefined;

  /** `path`: the log file, which need not be there before the first commit. */
  constructor(path: string, sync: (file: number) => Promise<void> = syncData) {
    this.#path = path;
    this.#sync = sync;
  }

  /** Notes a commit that is in the log file and perhaps not on the disk. */
  noteCommit(): void {
    this.#committed += 1;
  }

  /** Waits until every commit noted so far is on the disk. Throws 8 UnknownError when the disk did not take one, and from then on always: nobody knows any more what it has. */
  async flushed(): Promise<void> {
    const wanted = this.#committed;
    while (this.#failure === undefined && this.#flushed < wanted) {
      this.#running ??= this.#flush();
      await this.#running;
    }
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Closes the file when everything noted is flushed, or cannot be. */
  async close(): Promise<void> {
    await this.flushed().catch(() => undefined);
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }

  async #flush(): Promise<void> {
    const upTo = this.#committed;
    try {
      this.#file ??= openSync(this.#path, "r+");
      await this.#sync(this.#file);
      this.#flushed = upTo;
    } catch (error) {
      this.#failure = new EngineError(8, "UnknownError", `the disk did not take a write: ${(error as Error).message}`);
    } finally {
      this.#running = undefined;
    }
  }
}
