import {
  applyDifference,
  arrayValue,
  bsonType,
  boolValue,
  buildDocument,
  documentValue,
  type Engine,
  EngineError,
  fieldsOf,
  getField,
  int32Value,
  isNumberType,
  type Namespace,
  splitNamespace,
  stringValue,
  textOf,
  type Value,
} from "../engine/index.ts";
import type { Action, CommandContext } from "./define-command.ts";
import { defineCommand } from "./define-command.ts";
import { namespaceNamed } from "./namespace.ts";
import { requireAllowed } from "./privileges.ts";
import { statementsMax } from "./write-reply.ts";

/** Tries at an update that somebody else's writes come between. */
const attemptsMax = 100;

/**
 * `applyOps`: entries of an operation log, as mongorestore sends them with `--oplogReplay`. Each may have been applied before, so inserts replace, and what is not there is
 * neither changed nor deleted. Entries are applied one after the other; those before one that fails stay.
 */
export const applyOps = defineCommand({
  name: "applyOps",
  action: "any",
  adminOnly: true,
  takesWriteConcern: true,
  run: async (parameters, context) => {
    const entries = parameters.requiredDocuments("applyOps");
    parameters.refuse("preCondition");
    // Updates are never inserts here, and entries may always have been applied before.
    parameters.ignore("alwaysUpsert", "allowAtomic", "oplogApplicationMode");
    const bypassDocumentValidation = parameters.flag("bypassDocumentValidation");
    parameters.rejectUnknown();
    if (entries.length > statementsMax)
      throw new EngineError(22, "InvalidLength", `applyOps takes at most ${statementsMax} entries`);
    const engine = await context.engine();
    const write = { ...context.write, bypassDocumentValidation };
    for (const entry of entries) await apply(readEntry(entry), engine, { ...context, write }, parameters.main);
    return [
      ["applied", int32Value(entries.length)],
      ["results", arrayValue(entries.map(() => boolValue(true)))],
    ];
  },
});

interface Entry {
  readonly op: string;
  readonly namespace: Namespace;
  readonly o: Uint8Array;
  readonly o2: Uint8Array | undefined;
}

function readEntry(entry: Uint8Array): Entry {
  const [op, ns, o, o2] = ["op", "ns", "o", "o2"].map((name) => getField(entry, name));
  if (op?.type !== bsonType.string || ns?.type !== bsonType.string || o?.type !== bsonType.object)
    throw new EngineError(9, "FailedToParse", "an entry of an operation log has the fields op, ns and o");
  return {
    op: textOf(op),
    // A "n" may name nothing.
    namespace: splitNamespace(textOf(ns)),
    o: o.bytes(),
    o2: o2?.type === bsonType.object ? o2.bytes() : undefined,
  };
}

async function apply(entry: Entry, engine: Engine, context: CommandContext, main: Value): Promise<void> {
  const { op, namespace, o, o2 } = entry;
  const need = (action: Action): void => requireRight(context, action, namespace, main);
  switch (op) {
    case "n":
      return;
    case "i":
      need("write");
      return replace(engine, context, namespace, o, true);
    case "u":
      need("write");
      return update(engine, context, namespace, idOf(o2), o);
    case "d":
      need("write");
      await engine.delete(namespace, [{ filter: idFilter(idOf(o)), justOne: true }], true, context.write);
      return;
    case "c":
      return applyCommand(entry, engine, context, main);
    default:
      throw new EngineError(2, "BadValue", `an entry cannot have the operation '${op}'`);
  }
}

/** DDL. Transactions are entries of entries. */
async function applyCommand(
  { namespace: { database }, o }: Entry,
  engine: Engine,
  context: CommandContext,
  main: Value,
): Promise<void> {
  const [first, ...rest] = fieldsOf(o);
  const name = first?.name ?? "";
  const about = (action: Action): Namespace => {
    if (first?.value.type !== bsonType.string)
      throw new EngineError(73, "InvalidNamespace", `${name} names no collection`);
    const namespace = { database, collection: textOf(first.value) };
    requireRight(context, action, namespace, main);
    return namespace;
  };
  switch (name) {
    case "create": {
      const namespace = about("collectionAdmin");
      const known = await engine.listCollections(database, { signal: context.signal });
      if (known.some((entry) => entry.name === namespace.collection)) return;
      const options = rest
        .filter((field) => field.name !== "idIndex")
        .map((field) => [field.name, field.value] as const);
      return engine.createCollection(namespace, buildDocument(options), context.write);
    }
    case "collMod":
      await unlessGone(
        engine.modifyCollection(
          about("collectionAdmin"),
          buildDocument(rest.map((field) => [field.name, field.value] as const)),
          context.write,
        ),
      );
      return;
    case "dropIndexes":
    case "deleteIndexes": {
      const index = rest.find((field) => field.name === "index")?.value;
      const named = index?.type === bsonType.string ? textOf(index) : "";
      await unlessGone(engine.dropIndexes(about("collectionAdmin"), named === "*" ? named : [named], context.write));
      return;
    }
    case "renameCollection":
      return rename(engine, context, first?.value, rest.find((field) => field.name === "to")?.value, main);
    case "drop":
      await engine.dropCollection(about("collectionAdmin"), context.write);
      return;
    case "dropDatabase":
      requireRight(context, "databaseAdmin", { database, collection: "" }, main);
      return engine.dropDatabase(database, context.write);
    case "createIndexes": {
      const specification = buildDocument(rest.map((field) => [field.name, field.value] as const));
      await engine.createIndexes(about("collectionAdmin"), [specification], context.write);
      return;
    }
    case "commitIndexBuild": {
      const indexes = rest.find((field) => field.name === "indexes")?.value;
      const specifications =
        indexes?.type === bsonType.array ? [...fieldsOf(indexes.bytes())].map((field) => field.value.bytes()) : [];
      await engine.createIndexes(about("collectionAdmin"), specifications, context.write);
      return;
    }
    case "applyOps": {
      const entries = first?.value.type === bsonType.array ? [...fieldsOf(first.value.bytes())] : [];
      for (const { value } of entries) await apply(readEntry(value.bytes()), engine, context, main);
      return;
    }
    default:
      throw new EngineError(238, "NotImplemented", `the entry ${name} cannot be applied by this server`);
  }
}

/** Collections and indexes that are not there any more are nothing to change. */
async function unlessGone(change: Promise<unknown>): Promise<void> {
  await change.catch((error: unknown) => {
    if (!(error instanceof EngineError) || (error.code !== 26 && error.code !== 27)) throw error;
  });
}

/** What has the other name already was renamed when the entry was applied before, and is made anew. */
async function rename(
  engine: Engine,
  context: CommandContext,
  from: Value | undefined,
  to: Value | undefined,
  main: Value,
): Promise<void> {
  const [source, target] = [from, to].map((name) => {
    const namespace = namespaceNamed(name?.type === bsonType.string ? textOf(name) : "", "Invalid namespace specified");
    requireRight(context, "collectionAdmin", namespace, main);
    return namespace;
  }) as [Namespace, Namespace];
  await unlessGone(engine.renameCollection(source, target, true, context.write));
}

/** Puts a document in the place of the one with its `_id`. */
async function replace(
  engine: Engine,
  context: CommandContext,
  namespace: Namespace,
  document: Uint8Array,
  upsert: boolean,
): Promise<void> {
  const statement = { filter: idFilter(idOf(document)), update: document, multi: false, upsert, arrayFilters: [] };
  const { writeErrors } = await engine.update(namespace, [statement], true, context.write);
  fail(writeErrors);
}

async function update(
  engine: Engine,
  context: CommandContext,
  namespace: Namespace,
  id: Value,
  o: Uint8Array,
): Promise<void> {
  const version = getField(o, "$v");
  const difference = getField(o, "diff");
  if (version === undefined) return replace(engine, context, namespace, withId(o, id), false);
  if (!isNumberType(version.type) || difference?.type !== bsonType.object)
    throw new EngineError(9, "FailedToParse", "an update entry is a replacement or has $v: 2 and diff");
  for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
    const cursor = await engine.find(namespace, { filter: idFilter(id), limit: 1 }, { signal: context.signal });
    const [before] = await cursor.next({ maxDocuments: 1, maxBytes: Number.POSITIVE_INFINITY }, context.signal);
    cursor.close();
    if (before === undefined) return;
    const after = applyDifference(before, difference.bytes());
    // Only what was read is replaced: somebody else's change between the two would be lost.
    const same = buildDocument([
      ["_id", buildEquality(id)],
      ["$expr", unchanged(before)],
    ]);
    const statement = { filter: same, update: after, multi: false, upsert: false, arrayFilters: [] };
    const { matchedCount, writeErrors } = await engine.update(namespace, [statement], true, context.write);
    fail(writeErrors);
    if (matchedCount === 1) return;
  }
  throw new EngineError(
    112,
    "WriteConflict",
    "a document was changed again and again while an entry was applied to it",
  );
}

const rootVariable = stringValue("$$ROOT");

/** `{$eq: ["$$ROOT", {$literal: document}]}`. */
function unchanged(document: Uint8Array): Value {
  const literal = documentValue(buildDocument([["$literal", documentValue(document)]]));
  return documentValue(buildDocument([["$eq", arrayValue([rootVariable, literal])]]));
}

function fail(errors: readonly { readonly code: number; readonly message: string }[]): void {
  const [error] = errors;
  if (error !== undefined)
    throw new EngineError(error.code, error.code === 11_000 ? "DuplicateKey" : `Location${error.code}`, error.message);
}

function idOf(document: Uint8Array | undefined): Value {
  const id = document === undefined ? undefined : getField(document, "_id");
  if (id === undefined) throw new EngineError(4, "NoSuchKey", "an entry names no _id");
  return id;
}

function idFilter(id: Value): Uint8Array {
  return buildDocument([["_id", buildEquality(id)]]);
}

/** An `_id` may look like operators or a pattern. */
function buildEquality(id: Value): Value {
  return documentValue(buildDocument([["$eq", id]]));
}

function withId(document: Uint8Array, id: Value): Uint8Array {
  if (getField(document, "_id") !== undefined) return document;
  return buildDocument([["_id", id], ...[...fieldsOf(document)].map(({ name, value }) => [name, value] as const)]);
}

function requireRight(context: CommandContext, action: Action, { database, collection }: Namespace, main: Value): void {
  const where = { database, collection: collection === "" ? undefined : collection };
  requireAllowed(context.connection.user?.credential, action, where, { command: "applyOps", main, database });
}
