import { buildDocument } from "./bson/builder.ts";
import type { BulkOperation, BulkResult, BulkResults } from "./engine.ts";
import type { Done } from "./retries/statement-history.ts";
import type { Statements } from "./retries/statements.ts";
import { runDelete, runInsert, runUpdate, writeError, type WriteContext } from "./write-commands.ts";

/** Operations on several collections, one after the other; stops at the first failure when ordered. `contextOf` throws for a collection that cannot be written to. */
export async function runBulk(
  operations: readonly BulkOperation[],
  ordered: boolean,
  statements: Statements,
  contextOf: (operation: BulkOperation) => WriteContext,
): Promise<BulkResults> {
  const results: BulkResult[] = [];
  for (const [index, operation] of operations.entries()) {
    const done = statements.begin(index);
    const result = done === undefined ? await runOne(operation, index, contextOf) : repeated(operation, index, done);
    results.push(result);
    if (ordered && result.error !== undefined) break;
  }
  return { results, retried: statements.retried };
}

/** The result of an operation that was done before. */
function repeated({ kind }: BulkOperation, index: number, { upserted }: Done): BulkResult {
  if (kind !== "update") return { index, count: 1 };
  return upserted === undefined
    ? { index, count: 1, modifiedCount: 1 }
    : { index, count: 0, modifiedCount: 0, upserted };
}

async function runOne(
  operation: BulkOperation,
  index: number,
  contextOf: (operation: BulkOperation) => WriteContext,
): Promise<BulkResult> {
  try {
    const context = contextOf(operation);
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
