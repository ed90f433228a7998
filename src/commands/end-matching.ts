import type { CommandContext } from "./define-command.ts";
import { interrupt } from "./operation-registry.ts";
import { sessionKeyOf } from "./session-fields.ts";

/** Whether a session is meant: `id` and `owner` are its UUID and whose it is, in hexadecimal digits. */
export type SessionMatch = (id: string, owner: string) => boolean;

/** Ends the cursors and transactions that sessions have open; with `operations` also what runs in them, but for the command itself. */
export async function endMatching(
  matches: SessionMatch,
  { server, connection, cursors, engine }: CommandContext,
  operations: boolean,
): Promise<void> {
  const isMeant = (key: string): boolean => matches(key.slice(0, uuidDigits), key.slice(uuidDigits));
  for (const operation of operations ? server.operations.running() : []) {
    const { sessionId, connection: runsFor } = operation;
    if (sessionId === undefined || operation === connection.operation) continue;
    if (isMeant(hexOf(sessionKeyOf(sessionId, runsFor.user)))) interrupt(operation);
  }
  cursors.endSessions(isMeant);
  server.sessions.end(isMeant);
  for (const key of [...server.transactionSessions].filter(isMeant)) {
    server.transactionSessions.delete(key);
    (await engine()).transactions.endSession(Buffer.from(key, "hex"));
  }
}

/** Of a session's key, its UUID; whose it is follows. */
export const uuidDigits = 32;

export function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("hex");
}
