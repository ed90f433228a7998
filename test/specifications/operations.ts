import { Collection, type Db, GridFSBucket, type MongoClient } from "mongodb";
import { insertable, withoutResultHabits } from "./driver-habits.ts";
import type { DriverObject } from "./entities.ts";
import type { Arguments } from "./test-file.ts";

type Method = (...values: unknown[]) => unknown;

/** Calls a method of the driver: the arguments named, in this order, and every other in an object of options. */
function call(target: unknown, method: string, names: readonly string[], given: Arguments): unknown {
  const options = Object.fromEntries(Object.entries(given).filter(([name]) => !names.includes(name)));
  const run = (target as Record<string, Method>)[method];
  if (run === undefined) throw new NotInDriver(method);
  return run.call(target, ...names.map((name) => given[name]), options);
}

/** The driver under the tests has no such operation. */
export class NotInDriver extends Error {
  constructor(operation: string) {
    super(`the driver has no operation ${operation}`);
  }
}

/** Methods of the driver that are named as the format names them, with their positional arguments. */
const methods: Readonly<Record<string, readonly string[]>> = {
  // of collections
  bulkWrite: ["requests"],
  count: ["filter"],
  countDocuments: ["filter"],
  createIndex: ["keys"],
  createSearchIndex: ["model"],
  createSearchIndexes: ["models"],
  deleteMany: ["filter"],
  deleteOne: ["filter"],
  distinct: ["fieldName", "filter"],
  dropIndex: ["name"],
  dropSearchIndex: ["name"],
  estimatedDocumentCount: [],
  findOne: ["filter"],
  findOneAndDelete: ["filter"],
  findOneAndReplace: ["filter", "replacement"],
  findOneAndUpdate: ["filter", "update"],
  insertMany: ["documents"],
  insertOne: ["document"],
  replaceOne: ["filter", "replacement"],
  updateMany: ["filter", "update"],
  updateOne: ["filter", "update"],
  updateSearchIndex: ["name", "definition"],
  // of databases
  createCollection: ["collection"],
  dropCollection: ["collection"],
  // of sessions
  abortTransaction: [],
  commitTransaction: [],
  endSession: [],
  startTransaction: [],
  // of cursors
  close: [],
};

const admin = (target: DriverObject): unknown => (target as MongoClient).db().admin();
const databases = async (target: DriverObject, given: Arguments): Promise<readonly { readonly name: string }[]> =>
  ((await call(admin(target), "listDatabases", [], given)) as { databases: { name: string }[] }).databases;
const all = (cursor: unknown): Promise<unknown> => (cursor as { toArray(): Promise<unknown> }).toArray();
const named = async (found: Promise<unknown>): Promise<unknown> =>
  ((await found) as { readonly name: string }[]).map(({ name }) => name);

/** Operations that the driver spells otherwise. */
const operations: Readonly<Record<string, (target: DriverObject, given: Arguments) => unknown>> = {
  aggregate: (target, given) => all(call(target, "aggregate", ["pipeline"], given)),
  find: (target, given) => all(call(target, "find", ["filter"], given)),
  listIndexes: (target, given) => all(call(target, "listIndexes", [], given)),
  listIndexNames: (target, given) => named(all(call(target, "listIndexes", [], given))),
  listSearchIndexes: (target, given) =>
    all(
      call(target, "listSearchIndexes", ["name"], { name: given["name"], ...(given["aggregationOptions"] as object) }),
    ),
  listCollections: (target, given) => all(call(target, "listCollections", ["filter"], given)),
  listCollectionNames: (target, given) =>
    named(all(call(target, "listCollections", ["filter"], { ...given, nameOnly: true }))),
  listCollectionObjects: (target, given) => call(target, "collections", [], given),
  listDatabases: databases,
  listDatabaseNames: (target, given) => named(databases(target, { ...given, nameOnly: true })),
  modifyCollection: (target, { collection, ...rest }) => (target as Db).command({ collMod: collection, ...rest }),
  runCommand: (target, { command, session, readPreference }) =>
    (target as Db).command(command as object, { session, readPreference } as object),
  createCommandCursor: (target, given) => opened(commandCursor(target, given)),
  createChangeStream: (target, given) => watching(call(target, "watch", ["pipeline"], given)),
  createFindCursor: (target, given) => opened(call(target, "find", ["filter"], given)),
  runCursorCommand: (target, given) => all(commandCursor(target, given)),
  clientBulkWrite: async (target, given) => {
    const models = (given["models"] as Arguments[]).map((model) => {
      const [name, fields] = Object.entries(model)[0] as [string, Arguments];
      return { name, ...fields };
    });
    return withoutResultHabits(await call(target, "bulkWrite", ["models"], { ...given, models }));
  },
  rename: (target, given) =>
    target instanceof Collection
      ? call(target, "rename", ["to"], given)
      : call(target, "rename", ["id", "newFilename"], given),
  delete: (target, given) => call(target, "delete", ["id"], given),
  download: (target, given) => bytesOf(call(target, "openDownloadStream", ["id"], given)),
  downloadByName: (target, given) => bytesOf(call(target, "openDownloadStreamByName", ["filename"], given)),
  upload: async (target, given) => {
    if (!(target instanceof GridFSBucket)) throw new Error("only buckets take uploads");
    const { source, filename, ...options } = given;
    const stream = target.openUploadStream(String(filename), options);
    const done = new Promise((fulfil, reject) => stream.once("finish", fulfil).once("error", reject));
    stream.end(Buffer.from(String((source as Arguments)["$$hexBytes"]), "hex"));
    await done;
    return stream.id;
  },
  iterateUntilDocumentOrError: (target) => call(target, "next", [], {}),
  iterateOnce: (target) => call(target, "tryNext", [], {}),
  getSnapshotTime: (target) => (target as unknown as Arguments)["snapshotTime"],
};

/** Runs one operation on an object of the driver, and gives what it gave: documents of a cursor as an array. */
export async function operate(target: DriverObject, name: string, given: Arguments): Promise<unknown> {
  const special = operations[name];
  if (special !== undefined) return special(target, insertable(given));
  const positional = methods[name];
  if (positional === undefined) throw new NotInDriver(name);
  return call(target, name, positional, spelled(insertable(given)));
}

/** A cursor that has run its command, and is not read further. */
async function opened(cursor: unknown): Promise<unknown> {
  await (cursor as { hasNext(): Promise<boolean> }).hasNext();
  return cursor;
}

/** A change stream that has run its command; what it does so by is not in the driver's types. */
async function watching(stream: unknown): Promise<unknown> {
  await (stream as { readonly cursor: { cursorInit(): Promise<void> } }).cursor.cursorInit();
  return stream;
}

function commandCursor(target: DriverObject, given: Arguments): unknown {
  const { command, batchSize, maxTimeMS, comment, session, readPreference } = given;
  const cursor = (target as Db).runCursorCommand(command as object, { session, readPreference } as object);
  if (batchSize !== undefined) cursor.setBatchSize(Number(batchSize));
  if (maxTimeMS !== undefined) cursor.setMaxTimeMS(Number(maxTimeMS));
  if (comment !== undefined) cursor.setComment(comment);
  return cursor;
}

/** The driver writes `returnDocument` in small letters. */
function spelled(given: Arguments): Arguments {
  const { returnDocument } = given;
  return typeof returnDocument === "string" ? { ...given, returnDocument: returnDocument.toLowerCase() } : given;
}

async function bytesOf(stream: unknown): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream as AsyncIterable<Uint8Array>) chunks.push(chunk);
  return Buffer.concat(chunks);
}
