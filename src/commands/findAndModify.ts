import {
  boolValue,
  documentValue,
  emptyDocument,
  EngineError,
  getField,
  int32Value,
  nullValue,
  objectValue,
  type Value,
} from "../engine/index.ts";
import { defineCommand, type CommandDefinition } from "./define-command.ts";
import { hintOf } from "./hint.ts";
import { updateOf } from "./update.ts";
import { idsFrom, withStatements } from "./write-reply.ts";

/** `findAndModify`, by both of its spellings. */
function create(name: string): CommandDefinition {
  return defineCommand({
    name,
    action: "write",
    onCollection: true,
    retryable: true,
    run: async (parameters, context) => {
      const collection = parameters.collection();
      const remove = parameters.flag("remove");
      const hasUpdate = parameters.get("update") !== undefined;
      if (remove === hasUpdate)
        throw new EngineError(9, "FailedToParse", "Either an update or remove=true must be specified");
      const upsert = parameters.flag("upsert");
      const returnNew = parameters.flag("new");
      if (remove && (upsert || returnNew))
        throw new EngineError(9, "FailedToParse", "Cannot specify both upsert or new and remove=true");
      const sort = parameters.document("sort");
      const projection = parameters.document("fields");
      const variables = parameters.document("let");
      const query = {
        filter: parameters.document("query") ?? emptyDocument,
        collation: parameters.document("collation"),
        hint: hintOf(parameters.get("hint")),
        upsert,
        returnNew,
        arrayFilters: parameters.documents("arrayFilters") ?? [],
        ...(sort === undefined ? {} : { sort }),
        ...(projection === undefined ? {} : { projection }),
        ...(variables === undefined ? {} : { variables }),
        ...(hasUpdate ? { update: updateOf(parameters, "update") } : {}),
      };
      const bypassDocumentValidation = parameters.flag("bypassDocumentValidation");
      parameters.ignore("bypassEmptyTsReplacement");
      const statementId = parameters.whole("stmtId", 0);
      const write = withStatements(context.write, statementId === undefined ? undefined : idsFrom(statementId, 1));
      parameters.rejectUnknown();
      const engine = await context.engine();
      const namespace = { database: context.database, collection };
      const result = await engine.findAndModify(namespace, query, { ...write, bypassDocumentValidation });
      const changed = result.value !== undefined || result.upserted !== undefined || result.updatedExisting;
      const last: [string, Value][] = [["n", int32Value(changed ? 1 : 0)]];
      if (!remove) last.push(["updatedExisting", boolValue(result.updatedExisting)]);
      if (result.upserted !== undefined) last.push(["upserted", getField(result.upserted, "_id") ?? nullValue]);
      return [
        ["lastErrorObject", objectValue(last)],
        ["value", result.value === undefined ? nullValue : documentValue(result.value)],
        ...result.retried.map((id) => ["retriedStmtId", int32Value(id)] as const),
      ];
    },
  });
}

export const findAndModify = create("findAndModify");
export const findandmodify = create("findandmodify");
