import type { EngineTransaction, Transactions, WriteOptions } from "../engine.ts";
import { EngineError } from "../engine-error.ts";
import type { DatabaseFile } from "../storage/database-file.ts";
import { Pace } from "../storage/turns.ts";
import type { Clock, WriteSide } from "../write-transaction.ts";
import { DocumentTransaction } from "./document-transaction.ts";
import { Overlay } from "./overlay.ts";
import { numberUsed, tooOld, TransactionRegistry } from "./transaction-registry.ts";

/** How long a transaction may last (manual, `transactionLifetimeLimitSeconds`). */
const lifetimeMs = 60_000;

/** Multi-document transactions of one file. */
export class TransactionSide implements Transactions {
  readonly #file: DatabaseFile;
  readonly #writes: WriteSide;
  readonly #clock: Clock;
  readonly #newUuid: () => Uint8Array;
  readonly #registry = new TransactionRegistry();

  constructor(file: DatabaseFile, writes: WriteSide, clock: Clock, newUuid: () => Uint8Array) {
    this.#file = file;
    this.#writes = writes;
    this.#clock = clock;
    this.#newUuid = newUuid;
  }

  begin(sessionId: Uint8Array, number: bigint): Promise<EngineTransaction> {
    return this.#writes.between(() => {
      const last = this.#writes.lastNumber(sessionId);
      if (last !== undefined && number < last.number) throw tooOld(number, last.number);
      if (last?.number === number) throw numberUsed(number);
      this.#registry.endExpired();
      const transaction = new DocumentTransaction(
        this.#file.openPinned((path) => new Overlay(path)),
        this.#writes.catalog,
        {
          newest: this.#file.reader,
          held: this.#writes.held,
          newUuid: this.#newUuid,
          monotonicMs: () => this.#clock.monotonicMs(),
          lifetimeMs,
        },
      );
      try {
        this.#registry.begin(sessionId, number, transaction);
      } catch (error) {
        transaction.end();
        throw error;
      }
      return transaction;
    });
  }

  open(sessionId: Uint8Array, number: bigint): EngineTransaction {
    return this.#registry.open(sessionId, number);
  }

  async commit(sessionId: Uint8Array, number: bigint, write: WriteOptions): Promise<void> {
    if (this.#registry.isCommitted(sessionId, number) || this.#writes.wasCommitted(sessionId, number)) {
      if (write.durable) await this.#file.log.flushed();
      return;
    }
    const transaction = this.#registry.open(sessionId, number);
    await transaction.finish(async () => {
      const options = { ...write, retry: { sessionId, transactionNumber: number } };
      const pace = new Pace(() => this.#clock.monotonicMs(), write.signal);
      if (transaction.changes.length > 0) await this.#writes.commit(transaction, options, pace);
      this.#registry.noteCommit(sessionId, number);
    });
  }

  abort(sessionId: Uint8Array, number: bigint): void {
    this.#registry.open(sessionId, number).end();
  }

  supersede(sessionId: Uint8Array, number: bigint): void {
    this.#registry.supersede(sessionId, number);
  }

  endSession(sessionId: Uint8Array): void {
    this.#registry.endSession(sessionId);
  }

  openSessions(): readonly Uint8Array[] {
    return this.#registry.openSessions();
  }

  endExpired(): void {
    this.#registry.endExpired();
  }

  endAll(): void {
    this.#registry.endAll();
  }
}

/** The engine's own of what was handed out. */
export function ownTransaction(transaction: EngineTransaction): DocumentTransaction {
  if (!(transaction instanceof DocumentTransaction))
    throw new EngineError(251, "NoSuchTransaction", "the transaction is none of this engine");
  return transaction;
}
