import type { WriteOptions } from "../engine/index.ts";
import type { CommandDefinition, ConnectedUser } from "./define-command.ts";
import { type ReadConcern, readConcernOf } from "./read-concern.ts";
import { retryOf, sessionIdOf } from "./session-fields.ts";
import { requireTransactionRead, type TransactionFields } from "./transaction-fields.ts";
import type { WriteConcern } from "./write-concern.ts";

/** What a command says of how it reads and writes. */
export interface Prepared {
  readonly sessionId: Uint8Array | undefined;
  readonly readConcern: ReadConcern;
  readonly write: WriteOptions;
}

/** Reads what a command says of its session and concerns. Throws 72, 14, 9 and others. */
export function prepare(
  body: Uint8Array,
  user: ConnectedUser | undefined,
  definition: CommandDefinition,
  fields: TransactionFields | undefined,
  concern: WriteConcern,
  signal: AbortSignal,
): Prepared {
  const sessionId = sessionIdOf(body, user);
  const readConcern = readConcernOf(definition, body, fields !== undefined);
  if (fields !== undefined) requireTransactionRead(readConcern);
  const retry = fields === undefined ? retryOf(definition, body, sessionId) : undefined;
  return {
    sessionId,
    readConcern,
    write: { signal, durable: concern.durable, ...(retry === undefined ? {} : { retry }) },
  };
}
