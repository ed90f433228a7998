import { EngineError } from "../engine-error.ts";
import type { WriteOptions } from "../engine.ts";
import type { Connection } from "../storage/database-file.ts";
import { committed } from "../transactions/transaction-registry.ts";
import { StatementHistory } from "./statement-history.ts";

/** How long a session's newest number is remembered after it was last used (sessions end after 30 minutes). */
const lifetimeMs = 30 * 60_000;
/** How often what is older is looked for. */
const sweepEveryMs = 60_000;

/** What a session did under its newest number. */
export interface LastNumber {
  readonly number: bigint;
  /** A committed transaction; else retryable writes. */
  readonly committed: boolean;
  readonly history: Uint8Array;
}

type Retry = NonNullable<WriteOptions["retry"]>;

/** What a committed transaction has in the place of a history. */
const committedMark = Uint8Array.of(5, 0, 0, 0, 0);

/** The newest number of each session and what was done under it, in the data file. */
export class RetryTable {
  readonly #connection: Connection;
  #sweptMs = 0;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  last(sessionId: Uint8Array): LastNumber | undefined {
    const row = this.#connection.get("SELECT transaction_number, result FROM retry WHERE session = ?", sessionId);
    if (row === undefined) return undefined;
    const history = row[1] as Uint8Array;
    return {
      number: BigInt(row[0] as number | bigint),
      committed: history.length === committedMark.length,
      history,
    };
  }

  /** What was done before under the number of a write. Throws 225 TransactionTooOld for an older number than the newest, and 256 for one of a transaction. */
  historyOf({ sessionId, transactionNumber }: Retry): StatementHistory {
    const last = this.last(sessionId);
    if (last === undefined || transactionNumber > last.number) return new StatementHistory(undefined);
    if (transactionNumber < last.number)
      throw new EngineError(
        225,
        "TransactionTooOld",
        `Retryable write with txnNumber ${transactionNumber} is prohibited because a newer one (${last.number}) has already started`,
      );
    if (last.committed) throw committed(last.number);
    return new StatementHistory(last.history);
  }

  /** `history` undefined: a transaction was committed. */
  remember({ sessionId, transactionNumber }: Retry, history: StatementHistory | undefined, nowMs: number): void {
    if (nowMs - this.#sweptMs > sweepEveryMs) {
      this.#sweptMs = nowMs;
      this.#connection.run("DELETE FROM retry WHERE used_ms < ?", nowMs - lifetimeMs);
    }
    this.#connection.run(
      "INSERT OR REPLACE INTO retry (session, transaction_number, result, used_ms) VALUES (?, ?, ?, ?)",
      sessionId,
      transactionNumber,
      history === undefined ? committedMark : history.finish(),
      nowMs,
    );
  }
}
