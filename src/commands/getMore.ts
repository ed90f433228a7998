import { bsonType, EngineError, int64Of } from "../engine/index.ts";
import { batchSizeOf, nextBatch } from "./cursor-reply.ts";
import { defineCommand } from "./define-command.ts";

/** How long a cursor that awaits data waits for it, unless `maxTimeMS` says otherwise. */
const waitDefaultMs = 1000;

/** `getMore`: a cursor's next batch. Whoever made the cursor was allowed to, and only that user may read on. */
export const getMore = defineCommand({
  name: "getMore",
  action: "any",
  snapshotReads: true,
  waits: true,
  counted: "getmore",
  run: async (parameters, context) => {
    if (parameters.main.type !== bsonType.long)
      throw new EngineError(14, "TypeMismatch", "BSON field 'getMore.getMore' is the wrong type, expected type 'long'");
    const id = int64Of(parameters.main);
    const namespace = `${context.database}.${parameters.requiredText("collection")}`;
    const batchSize = batchSizeOf(parameters);
    const waitMs = parameters.whole("maxTimeMS", 0);
    parameters.ignore("term", "lastKnownCommittedOpTime");
    parameters.rejectUnknown();
    const userName = context.connection.user?.name ?? "";
    const by = { namespace, userName, sessionId: context.sessionId, transactionNumber: context.transaction?.number };
    return context.cursors.use(id, by, (cursor, awaitsData) => {
      if (waitMs !== undefined && !awaitsData)
        throw new EngineError(2, "BadValue", "cannot set maxTimeMS on getMore command for a non-awaitData cursor");
      return nextBatch(
        cursor,
        { id, namespace, batchSize, waitMs: awaitsData ? (waitMs ?? waitDefaultMs) : 0 },
        context,
      );
    });
  },
});
