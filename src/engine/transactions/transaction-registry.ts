import { EngineError } from "../engine-error.ts";
import type { DocumentTransaction } from "./document-transaction.ts";

/** What is known of a session's newest transaction. */
interface Entry {
  readonly number: bigint;
  readonly transaction: DocumentTransaction;
  committed: boolean;
}

/** Sessions whose newest transaction is remembered; of the ended ones the oldest are forgotten. */
const sessionsMax = 10_000;

/** The newest transaction of each session. */
export class TransactionRegistry {
  readonly #sessions = new Map<string, Entry>();

  /** Begins a transaction, ending an older one of the session. Throws 225 TransactionTooOld and 50911 for a number that was used. */
  begin(sessionId: Uint8Array, number: bigint, transaction: DocumentTransaction): void {
    const key = keyOf(sessionId);
    this.supersede(sessionId, number);
    const known = this.#sessions.get(key);
    if (known?.number === number) throw numberUsed(number);
    this.#sessions.delete(key);
    this.#sessions.set(key, { number, transaction, committed: false });
    if (this.#sessions.size > sessionsMax) this.#forgetEnded();
  }

  /** A session went on to a newer number: its older transaction ends. Throws 225 TransactionTooOld for an older number. */
  supersede(sessionId: Uint8Array, number: bigint): void {
    const known = this.#sessions.get(keyOf(sessionId));
    if (known === undefined) return;
    if (number < known.number) throw tooOld(number, known.number);
    if (number > known.number) known.transaction.end();
  }

  /** The open transaction. Throws 251 NoSuchTransaction, 225 TransactionTooOld, 256 TransactionCommitted. */
  open(sessionId: Uint8Array, number: bigint): DocumentTransaction {
    const known = this.#sessions.get(keyOf(sessionId));
    if (known === undefined || number > known.number) throw noSuchTransaction(number, known?.number);
    if (number < known.number) throw tooOld(number, known.number);
    if (known.committed) throw committed(number);
    if (!known.transaction.isOpen) throw aborted(number);
    return known.transaction;
  }

  isCommitted(sessionId: Uint8Array, number: bigint): boolean {
    const known = this.#sessions.get(keyOf(sessionId));
    return known?.number === number && known.committed;
  }

  noteCommit(sessionId: Uint8Array, number: bigint): void {
    const known = this.#sessions.get(keyOf(sessionId));
    if (known?.number === number) known.committed = true;
  }

  /** Ends what a session has open. */
  endSession(sessionId: Uint8Array): void {
    this.#sessions.get(keyOf(sessionId))?.transaction.end();
  }

  openSessions(): readonly Uint8Array[] {
    return [...this.#sessions].flatMap(([key, { transaction }]) =>
      transaction.isOpen ? [Buffer.from(key, "hex")] : [],
    );
  }

  endAll(): void {
    for (const { transaction } of this.#sessions.values()) transaction.end();
  }

  /** Ends those whose time is over. */
  endExpired(): void {
    for (const { transaction } of this.#sessions.values()) transaction.expire();
  }

  #forgetEnded(): void {
    for (const [key, { transaction }] of this.#sessions) {
      if (this.#sessions.size <= sessionsMax) return;
      if (!transaction.isOpen) this.#sessions.delete(key);
    }
  }
}

function keyOf(sessionId: Uint8Array): string {
  return Buffer.from(sessionId).toString("hex");
}

const transient = ["TransientTransactionError"] as const;

function noSuchTransaction(number: bigint, active: bigint | undefined): EngineError {
  return new EngineError(
    251,
    "NoSuchTransaction",
    `Given transaction number ${number} does not match any in-progress transactions. The active transaction number is ${active ?? -1n}`,
    transient,
  );
}

function aborted(number: bigint): EngineError {
  return new EngineError(
    251,
    "NoSuchTransaction",
    `Transaction with { txnNumber: ${number} } has been aborted.`,
    transient,
  );
}

export function committed(number: bigint): EngineError {
  return new EngineError(256, "TransactionCommitted", `Transaction with { txnNumber: ${number} } has been committed.`);
}

export function numberUsed(number: bigint): EngineError {
  return new EngineError(
    50_911,
    "Location50911",
    `Cannot start a transaction at given transaction number ${number}: a transaction or a write with the same number was there before`,
  );
}

export function tooOld(number: bigint, last: bigint): EngineError {
  return new EngineError(
    225,
    "TransactionTooOld",
    `Cannot start transaction with { txnNumber: ${number} } on session because a newer transaction with txnNumber ${last} has already started.`,
  );
}
