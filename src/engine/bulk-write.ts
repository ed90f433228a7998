import { buildDocument } from "./bson/builder.ts";
import type { BulkOperation, BulkResult } from "./engine.ts";
import { runDelete, runInsert, runUpdate, writeError, type WriteContext } from "./write-commands.ts";

/** Operations on several collections, one after the other; stops at the first failure when ordered. `contextOf` throws for a collection that cannot be written to. */
export async function runBulk(
  operations: readonly BulkOperation[],
  ordered: boolean,
  contextOf: (operation: BulkOperation) => WriteContext,
): Promise<readonly BulkResult[]> {
  const results: BulkResult[] = [];
  for (const [index, operation] of operations.entries()) {
    const result = await runOne(operation, index, contextOf);
    results.push(result);
    if (ordered && result.error !== undefined) break;
  }
  return results;
}

async function runOne(
  operation: BulkOperation,
  index: number,
  contextOf: (operation: BulkOperation) => WriteContext,
): Promise<BulkResult> {
  try {
    const context = contextOf(operation);
    context.transaction.log.statementId = index;
    if (operation.kind === "insert") {
      const { insertedCount, writeErrors } = await runInsert(context, [operation.document], true, index);
      const [error] = writeErrors;
      return { index, count: insertedCount, ...(error === undefined ? {} : { error }) };
    }
    if (operation.kind === "delete") return { index, count: await runDelete(context, operation.statement) };
    const progress = { matched: 0, modified: 0 };
    const id = await runUpdate(context, operation.statement, progress);
    return {
      index,
      count: progress.matched,
      modifiedCount: progress.modified,
      ...(id === undefined ? {} : { upserted: buildDocument([["_id", id]]) }),
    };
  } catch (error) {
    return { index, count: 0, error: writeError(error, index) };
  }
}
