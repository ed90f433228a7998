import { bsonType, buildDocument, dateValue, EngineError, objectValue, Value, writeInt32 } from "../engine/index.ts";
import type { CommandContext } from "./define-command.ts";
import { mayActOnOthers } from "./describe-operation.ts";
import { hexOf, uuidDigits } from "./end-matching.ts";
import { ownerNamed } from "./killAllSessions.ts";
import { Parameters } from "./parameters.ts";

/** `$listLocalSessions` (manual): sessions of the user, of the users named, or of all, each `{_id: {id, uid}, lastUse}`. Throws 13 for others' without the privilege. */
export function describeSessions(argument: Value, context: CommandContext): readonly Uint8Array[] {
  if (argument.type !== bsonType.object)
    throw new EngineError(14, "TypeMismatch", "$listLocalSessions options must be specified in an object");
  const fields = Parameters.within("$listLocalSessions", argument.bytes());
  const allUsers = fields.flag("allUsers");
  const users = fields.documents("users");
  fields.rejectUnknown();
  if (allUsers && users !== undefined)
    throw new EngineError(72, "InvalidOptions", "$listLocalSessions may not specify allUsers and users at once");
  const own = hexOf(context.connection.user?.sessionOwner ?? new Uint8Array(0));
  const owners = new Set(users?.map((user) => ownerNamed("$listLocalSessions.users", user)) ?? [own]);
  if ((allUsers || [...owners].some((owner) => owner !== own)) && !mayActOnOthers(context, "monitor"))
    throw new EngineError(13, "Unauthorized", "Not authorized to list sessions of other users");
  return context.server.sessions
    .list()
    .filter(([key]) => allUsers || owners.has(key.slice(uuidDigits)))
    .map(([key, lastUseMs]) =>
      buildDocument([
        [
          "_id",
          objectValue([
            ["id", binary(4, key.slice(0, uuidDigits))],
            ["uid", binary(0, key.slice(uuidDigits))],
          ]),
        ],
        ["lastUse", dateValue(BigInt(lastUseMs))],
      ]),
    );
}

function binary(subtype: number, hex: string): Value {
  const content = Buffer.from(hex, "hex");
  const bytes = new Uint8Array(5 + content.length);
  writeInt32(bytes, 0, content.length);
  bytes[4] = subtype;
  bytes.set(content, 5);
  return new Value(bsonType.binData, bytes);
}
