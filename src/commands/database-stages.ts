import { bsonType, type DatabaseStages, EngineError, getField, isTruthy } from "../engine/index.ts";
import type { CommandContext } from "./define-command.ts";
import { describeOperations, mayActOnOthers } from "./describe-operation.ts";
import { describeSessions } from "./describe-sessions.ts";

type DatabaseStage = DatabaseStages extends ReadonlyMap<string, infer Stage> ? Stage : never;

/** Stages on a database whose documents the server has and the engine has not. */
export function databaseStagesOf(context: CommandContext): DatabaseStages {
  return new Map<string, DatabaseStage>([
    ["$listLocalSessions", (argument) => describeSessions(argument, context)],
    [
      "$currentOp",
      (argument) => {
        if (argument.type !== bsonType.object)
          throw new EngineError(9, "FailedToParse", "$currentOp options must be specified in an object");
        if (context.database !== "admin")
          throw new EngineError(73, "InvalidNamespace", "$currentOp must be run against the 'admin' database");
        const allUsers = isTruthy(getField(argument.bytes(), "allUsers"));
        if (allUsers && !mayActOnOthers(context, "monitor"))
          throw new EngineError(13, "Unauthorized", "not authorized on admin to see the operations of other users");
        return describeOperations(context, !allUsers);
      },
    ],
  ]);
}
