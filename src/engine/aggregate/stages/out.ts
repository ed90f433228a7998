import { located } from "../../engine-error.ts";
import { bsonType, typeName } from "../../bson/types.ts";
import { textOf, type Value } from "../../bson/value.ts";
import { fieldsOfValue } from "../../bson/walk.ts";
import { checkNamespace } from "../../catalog/names.ts";
import type { Namespace } from "../../engine.ts";
import { type StageFactory, textIn } from "../stage.ts";

/** `$out`: what comes through is written by the engine, in the place of what the collection holds. */
export const $out: StageFactory = (argument, { namespace }) => {
  outTarget(argument, namespace.database);
  return (flow) => flow;
};

/** The collection that is written to: `"name"`, or `{db, coll}`. */
export function outTarget(argument: Value, database: string): Namespace {
  const target =
    argument.type === bsonType.string ? { database, collection: textOf(argument) } : namespaceOf(argument, database);
  if (target.collection.startsWith("system."))
    throw located(17_385, `Can't $out to special collection: ${target.collection}`);
  checkNamespace(target);
  return target;
}

function namespaceOf(argument: Value, database: string): Namespace {
  if (argument.type !== bsonType.object)
    throw located(16_990, `$out only supports a string or object argument, but found ${typeName(argument.type)}`);
  const target = { database, collection: "" };
  for (const { name, value } of fieldsOfValue(argument)) {
    if (name === "db") target.database = textIn(value, 16_994, "$out's 'db'");
    else if (name === "coll") target.collection = textIn(value, 16_994, "$out's 'coll'");
    else throw located(40_415, `BSON field '$out.${name}' is an unknown field.`);
  }
  return target;
}
