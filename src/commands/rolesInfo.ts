import {
  arrayValue,
  boolValue,
  bsonType,
  elementsOf,
  EngineError,
  getField,
  objectValue,
  stringValue,
  textOf,
  type Value,
} from "../engine/index.ts";
import { defineCommand } from "./define-command.ts";
import { builtInRoles } from "./privileges.ts";

/** `rolesInfo`: the built-in roles; there are no others (manual, "rolesInfo"). */
export const rolesInfo = defineCommand({
  name: "rolesInfo",
  action: "viewUser",
  run: async (parameters, { database }) => {
    const showBuiltIn = parameters.flag("showBuiltinRoles");
    parameters.refuse("showPrivileges", "showAuthenticationRestrictions");
    parameters.rejectUnknown();
    const { main } = parameters;
    const wanted = main.type === bsonType.array ? elementsOf(main) : [main];
    const named = wanted.filter(({ type }) => type === bsonType.string || type === bsonType.object).map(nameOf);
    const all = named.length === 0 && showBuiltIn ? builtInRoles() : [];
    const found = [...all, ...named.filter((name) => builtInRoles().includes(name))];
    return [["roles", arrayValue(found.map((name) => describe(name, database)))]];
  },
});

function nameOf(value: Value): string {
  const name = value.type === bsonType.object ? getField(value.bytes(), "role") : value;
  if (name?.type !== bsonType.string)
    throw new EngineError(2, "BadValue", "a role has to be named by a string or by { role: <string>, db: <string> }");
  return textOf(name);
}

function describe(role: string, database: string): Value {
  return objectValue([
    ["role", stringValue(role)],
    ["db", stringValue(database)],
    ["isBuiltin", boolValue(true)],
    ["roles", arrayValue([])],
    ["inheritedRoles", arrayValue([])],
  ]);
}
