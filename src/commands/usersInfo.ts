import {
  arrayValue,
  bsonType,
  elementsOf,
  EngineError,
  getField,
  isNumberType,
  objectValue,
  stringValue,
  textOf,
  type Value,
} from "../engine/index.ts";
import type { DirectoryEntry } from "../ports/database-user-directory.ts";
import { type CommandContext, defineCommand } from "./define-command.ts";
import { isAllowed } from "./privileges.ts";

interface WantedUser {
  readonly name: string;
  readonly database: string;
}

/** `usersInfo`: the project's database users that may come in here, without anything secret (manual, "usersInfo"). Everybody may look at oneself. */
export const usersInfo = defineCommand({
  name: "usersInfo",
  action: "any",
  run: async (parameters, context) => {
    parameters.refuse(
      "showCredentials",
      "showPrivileges",
      "showAuthenticationRestrictions",
      "showCustomData",
      "filter",
    );
    parameters.rejectUnknown();
    const wanted = wantedUsers(parameters.main, context.database);
    const user = context.connection.user;
    const onlyOneself =
      Array.isArray(wanted) && wanted.every(({ name, database }) => name === user?.name && database === user?.database);
    const asked = wanted === "everywhere" ? "admin" : context.database;
    if (!onlyOneself && (user === undefined || !isAllowed(user.credential, "viewUser", asked, undefined)))
      throw new EngineError(
        13,
        "Unauthorized",
        `not authorized on ${context.database} to execute command { usersInfo: ... }`,
      );
    const all = await context.server.directory.list(context.server.deploymentId);
    const shown = all.filter((entry) => isWanted(entry, wanted, context));
    return [["users", arrayValue(shown.map(describe))]];
  },
});

function wantedUsers(main: Value, database: string): "everywhere" | "here" | readonly WantedUser[] {
  if (isNumberType(main.type)) return "here";
  if (main.type === bsonType.array) return elementsOf(main).map((element) => wantedUser(element, database));
  if (main.type === bsonType.object && getField(main.bytes(), "forAllDBs") !== undefined) return "everywhere";
  return [wantedUser(main, database)];
}

function wantedUser(value: Value, database: string): WantedUser {
  if (value.type === bsonType.string) return { name: textOf(value), database };
  const [name, from] = ["user", "db"].map((field) =>
    value.type === bsonType.object ? getField(value.bytes(), field) : undefined,
  );
  if (name?.type !== bsonType.string || from?.type !== bsonType.string)
    throw new EngineError(2, "BadValue", "a user has to be named by a string or by { user: <string>, db: <string> }");
  return { name: textOf(name), database: textOf(from) };
}

function isWanted(
  entry: DirectoryEntry,
  wanted: ReturnType<typeof wantedUsers>,
  { database }: CommandContext,
): boolean {
  if (wanted === "everywhere") return true;
  if (wanted === "here") return entry.authenticationDatabase === database;
  return wanted.some((one) => one.name === entry.username && one.database === entry.authenticationDatabase);
}

function describe({ username, authenticationDatabase, roles }: DirectoryEntry): Value {
  return objectValue([
    ["_id", stringValue(`${authenticationDatabase}.${username}`)],
    ["user", stringValue(username)],
    ["db", stringValue(authenticationDatabase)],
    [
      "roles",
      arrayValue(
        roles.map((role) =>
          objectValue([
            ["role", stringValue(role.roleName)],
            ["db", stringValue(role.databaseName)],
          ]),
        ),
      ),
    ],
    ["mechanisms", arrayValue([stringValue("SCRAM-SHA-256")])],
  ]);
}
