import type { ClientSession, MongoClient } from "mongodb";
import { type DriverObject, Entities } from "./entities.ts";
import { matchError } from "./match-error.ts";
import { match } from "./match.ts";
import { operate } from "./operations.ts";
import { runnerOperations, type RunningTest } from "./runner-operations.ts";
import type { Arguments, CollectionData, Operation, Test, TestFile } from "./test-file.ts";

const majority = { writeConcern: { w: "majority" as const } };
const longestMs = 15_000;

/** Runs one test from its data to its outcome; throws the first thing that is not as expected. */
export async function runTest(file: TestFile, test: Test, internal: MongoClient, uri: string): Promise<void> {
  const running: RunningTest = { entities: new Entities(uri), internal, failPoints: new Set() };
  const giveUp = Promise.withResolvers<never>();
  const timer = setTimeout(() => giveUp.reject(new Error(`no end within ${longestMs} ms`)), longestMs);
  try {
    await Promise.race([giveUp.promise, run(file, test, running)]);
  } finally {
    clearTimeout(timer);
    for (const name of running.failPoints)
      await internal.db("admin").command({ configureFailPoint: name, mode: "off" });
    await running.entities.close();
  }
}

async function run(file: TestFile, test: Test, running: RunningTest): Promise<void> {
  const { entities, internal } = running;
  for (const data of file.initialData ?? []) await fill(data, internal);
  await entities.create(file.createEntities ?? []);
  for (const operation of test.operations) await runOperation(operation, running);
  for (const expected of test.expectEvents ?? []) entities.matchEvents(expected);
  for (const data of test.outcome ?? []) {
    const collection = internal.db(data.databaseName).collection(data.collectionName);
    const found = await collection.find({}, { sort: { _id: 1 } }).toArray();
    match(data.documents, found, entities, false, ".outcome");
  }
}

async function fill(data: CollectionData, internal: MongoClient): Promise<void> {
  const database = internal.db(data.databaseName);
  await database.dropCollection(data.collectionName, majority);
  if (data.documents.length === 0 || data.createOptions !== undefined)
    await database.createCollection(data.collectionName, { ...data.createOptions, ...majority });
  if (data.documents.length > 0)
    await database.collection(data.collectionName).insertMany(data.documents as object[], majority);
}

/** Within a callback of the driver's every error of an operation is thrown again: the driver acts on it (format, "withTransaction"). */
async function runOperation(operation: Operation, running: RunningTest, inCallback = false): Promise<void> {
  const { entities } = running;
  let result: unknown;
  try {
    result = await perform(operation, running);
  } catch (error) {
    if (operation.ignoreResultAndError !== true) {
      if (operation.expectError === undefined) throw error;
      matchError(operation.expectError, error, entities);
    }
    if (inCallback) throw error;
    return;
  }
  if (operation.ignoreResultAndError === true) return;
  if (operation.expectError !== undefined) throw new Error(`${operation.name} was expected to fail`);
  if ("expectResult" in operation) match(operation.expectResult, result, entities, true, `.${operation.name}`);
  if (operation.saveResultAsEntity !== undefined) entities.set(operation.saveResultAsEntity, result);
}

async function perform(operation: Operation, running: RunningTest): Promise<unknown> {
  const { entities } = running;
  const given = operation.arguments ?? {};
  if (operation.object === "testRunner") {
    const own = runnerOperations[operation.name];
    if (own === undefined) throw new Error(`the runner does not know the operation ${operation.name}`);
    return own(given, running);
  }
  const target = entities.entity(operation.object) as DriverObject;
  const ready =
    typeof given["session"] === "string" ? { ...given, session: entities.session(given["session"]) } : given;
  if (operation.name !== "withTransaction") return operate(target, operation.name, ready);
  const { callback, ...options } = ready as Arguments & { readonly callback: readonly Operation[] };
  return (target as ClientSession).withTransaction(async () => {
    for (const inner of callback) await runOperation(inner, running, true);
  }, options);
}
