import { bsonType, type EngineTransaction, EngineError, getField, int64Of, isTruthy } from "../engine/index.ts";
import type { CommandDefinition } from "./define-command.ts";
import type { ReadConcern } from "./read-concern.ts";

/** What a command says of the multi-document transaction it belongs to. */
export interface TransactionFields {
  readonly sessionId: Uint8Array;
  readonly number: bigint;
  readonly starts: boolean;
}

/** A transaction that a command runs in. */
export interface CommandTransaction extends TransactionFields {
  /** Undefined for the commands that end one. */
  readonly opened: EngineTransaction | undefined;
}

/** Commands that run in transactions (manual, "Transactions and Operations"). */
const allowed: ReadonlySet<string> = new Set([
  "abortTransaction",
  "aggregate",
  "bulkWrite",
  "commitTransaction",
  "create",
  "createIndexes",
  "delete",
  "distinct",
  "find",
  "findAndModify",
  "findandmodify",
  "getMore",
  "insert",
  "killCursors",
  "update",
]);

/** Reads `autocommit` and `startTransaction`; undefined for a command outside of transactions. Throws 72 for fields that do not go together, 263 for what no transaction has. */
export function transactionFieldsOf(
  definition: CommandDefinition,
  database: string,
  body: Uint8Array,
  sessionId: Uint8Array | undefined,
): TransactionFields | undefined {
  const autocommit = getField(body, "autocommit");
  const start = getField(body, "startTransaction");
  if (autocommit === undefined) {
    if (start !== undefined) throw invalid("'startTransaction' field requires 'autocommit' field to also be specified");
    if (definition.endsTransaction === true)
      throw new EngineError(125, "CommandFailed", `${definition.name} must be run within a transaction`);
    return undefined;
  }
  if (autocommit.type !== bsonType.bool || isTruthy(autocommit))
    throw invalid("Specifying autocommit=true is not allowed.");
  const number = getField(body, "txnNumber");
  if (number === undefined || number.type !== bsonType.long)
    throw invalid("'autocommit' field requires a transaction number to also be specified");
  if (sessionId === undefined) throw invalid("Transaction number requires a session ID to also be specified");
  if (int64Of(number) < 0n) throw invalid("Transaction number cannot be negative");
  if (start !== undefined && !isTruthy(start)) throw invalid("Specifying startTransaction=false is not allowed.");
  const starts = start !== undefined;
  if (!allowed.has(definition.name))
    throw notInTransaction(`Cannot run '${definition.name}' in a multi-document transaction.`);
  if (starts && definition.name === "killCursors")
    throw notInTransaction("Cannot run killCursors as the first operation in a multi-document transaction.");
  if (starts && definition.endsTransaction === true)
    throw notInTransaction(`Cannot start a transaction with a ${definition.name}`);
  if (
    ["config", "local"].includes(database) ||
    (database === "admin" && definition.endsTransaction !== true && definition.onCollection === true)
  )
    throw notInTransaction(`Cannot run command against the '${database}' database in a transaction.`);
  if (getField(body, "writeConcern") !== undefined && definition.endsTransaction !== true)
    throw invalid("writeConcern is not allowed within a multi-statement transaction");
  if (!starts && getField(body, "readConcern") !== undefined)
    throw invalid("Only the first command in a transaction may specify a readConcern");
  return { sessionId, number: int64Of(number), starts };
}

/** Throws 72 for a level or a time that a transaction does not read at. */
export function requireTransactionRead({ level, atClusterTime }: ReadConcern): void {
  if (level === "linearizable" || level === "available")
    throw invalid(
      "The readConcern level must be either 'local' (default), 'majority' or 'snapshot' in order to run in a transaction",
    );
  if (atClusterTime !== undefined) throw invalid("a transaction of this server reads at the time it begins");
}

export function notInTransaction(message: string): EngineError {
  return new EngineError(263, "OperationNotSupportedInTransaction", message);
}

function invalid(message: string): EngineError {
  return new EngineError(72, "InvalidOptions", message);
}
