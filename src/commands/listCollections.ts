import {
  boolValue,
  bsonType,
  buildDocument,
  type CollectionEntry,
  compileFilter,
  documentValue,
  getField,
  objectValue,
  stringValue,
  Value,
} from "../engine/index.ts";
import { cursorOptionsOf, listBatch } from "./cursor-reply.ts";
import { defineCommand } from "./define-command.ts";
import { isAllowed, seesDatabase, unauthorized } from "./privileges.ts";

/** `listCollections`: with options and UUID, by name. Names of what they may read are also for users with roles on single collections. */
export const listCollections = defineCommand({
  name: "listCollections",
  action: "any",
  run: async (parameters, context) => {
    const filterBytes = parameters.document("filter");
    const nameOnly = parameters.flag("nameOnly");
    const onlyAuthorized = nameOnly && parameters.flag("authorizedCollections");
    const batchSize = cursorOptionsOf(parameters)?.batchSize;
    parameters.ignore("authorizedCollections");
    parameters.rejectUnknown();
    const user = context.connection.user?.credential;
    const whole = user !== undefined && isAllowed(user, "statistics", context.database, undefined);
    if (user === undefined || (!whole && !(onlyAuthorized && seesDatabase(user, context.database))))
      throw unauthorized("listCollections", parameters.main, context.database);
    const filter = filterBytes === undefined ? undefined : await compileFilter(filterBytes);
    const engine = await context.engine();
    const entries = await engine.listCollections(context.database, await context.read(engine));
    const documents = entries
      .filter(({ name }) => whole || isAllowed(user, "statistics", context.database, name))
      .map((entry) => shown(entry, nameOnly))
      .filter((document) => filter === undefined || filter.matches(document));
    return listBatch(documents, `${context.database}.$cmd.listCollections`, batchSize, context);
  },
});

function shown({ name, type, options, uuid }: CollectionEntry, nameOnly: boolean): Uint8Array {
  const named = [
    ["name", stringValue(name)],
    ["type", stringValue(type)],
  ] as const;
  if (nameOnly) return buildDocument(named);
  const readOnly = type === "view";
  const info = objectValue([
    ["readOnly", boolValue(readOnly)],
    ...(readOnly ? [] : ([["uuid", new Value(bsonType.binData, Uint8Array.of(16, 0, 0, 0, 4, ...uuid))]] as const)),
  ]);
  return buildDocument([
    ...named,
    ["options", documentValue(options)],
    ["info", info],
    ...(readOnly || getField(options, "clusteredIndex") !== undefined ? [] : ([["idIndex", idIndex]] as const)),
  ]);
}

const idKey = buildDocument([["_id", new Value(bsonType.int, Uint8Array.of(1, 0, 0, 0))]]);
const idIndex = objectValue([
  ["v", new Value(bsonType.int, Uint8Array.of(2, 0, 0, 0))],
  ["key", documentValue(idKey)],
  ["name", stringValue("_id_")],
]);
