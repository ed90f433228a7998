import { defineEnd } from "./end-transaction.ts";

/** `commitTransaction`: all that the transaction wrote, or nothing. */
export const commitTransaction = defineEnd("commitTransaction", (engine, { sessionId, number }, { write }) =>
  engine.transactions.commit(sessionId, number, write),
);
