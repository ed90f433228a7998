import { defineEnd } from "./end-transaction.ts";

/** `abortTransaction`: nothing of what the transaction wrote. */
export const abortTransaction = defineEnd("abortTransaction", (engine, { sessionId, number }) =>
  engine.transactions.abort(sessionId, number),
);
