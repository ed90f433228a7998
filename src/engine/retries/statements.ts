import type { Value } from "../bson/value.ts";
import { getField } from "../bson/walk.ts";
import type { WriteOptions } from "../engine.ts";
import type { WriteTransaction } from "../write-transaction.ts";
import type { Done } from "./statement-history.ts";

/** The statements of one command, each of which is done once under the command's number. */
export class Statements {
  readonly #transaction: Pick<WriteTransaction, "log" | "history">;
  readonly #ids: readonly number[] | undefined;
  #current = 0;
  /** Ids of those that were done before. */
  readonly retried: number[] = [];

  constructor(transaction: Pick<WriteTransaction, "log" | "history">, retry: WriteOptions["retry"]) {
    this.#transaction = transaction;
    this.#ids = retry?.statementIds;
  }

  /** Begins a statement by its place in the command. Answers what it did when it was done before, and is not to be done again. */
  begin(index: number): Done | undefined {
    const { log, history } = this.#transaction;
    this.#current = this.#ids?.[index] ?? index;
    log.statementId = this.#current;
    const done = history?.find(this.#current);
    if (done !== undefined) this.retried.push(this.#current);
    return done;
  }

  /** The statement that was begun has written. */
  wrote(done: Done = {}): void {
    this.#transaction.history?.note(this.#current, done);
  }
}

/** Counts what an update did before. Answers the `_id` that it inserted. */
export function repeatedUpdate({ upserted }: Done, progress: { matched: number; modified: number }): Value | undefined {
  if (upserted !== undefined) return getField(upserted, "_id");
  progress.matched += 1;
  progress.modified += 1;
  return undefined;
}
