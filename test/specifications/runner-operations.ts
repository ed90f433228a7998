import assert from "node:assert/strict";
import { isDeepStrictEqual } from "node:util";
import { setTimeout as delay } from "node:timers/promises";
import { type MongoClient, MongoServerError } from "mongodb";
import type { Entities } from "./entities.ts";
import type { Arguments, EntityDescription, ExpectedEvents } from "./test-file.ts";

/** One test that is being run. */
export interface RunningTest {
  readonly entities: Entities;
  /** The runner's own client. */
  readonly internal: MongoClient;
  /** Names of the fail points that were set. */
  readonly failPoints: Set<string>;
}

type RunnerOperation = (given: Arguments, running: RunningTest) => unknown;

/** Operations on the runner itself (unified test format, "Special Test Operations"). */
export const runnerOperations: Readonly<Record<string, RunnerOperation>> = {
  createEntities: ({ entities }, running) => running.entities.create(entities as EntityDescription[]),
  wait: ({ ms }) => delay(Number(ms)),
  failPoint: ({ client, failPoint, session }, running) =>
    setFailPoint(failPoint as Arguments, running.entities.client(client), running, session),
  targetedFailPoint: ({ session, failPoint }, running) =>
    setFailPoint(failPoint as Arguments, clientOf(running, session), running, undefined),
  assertSessionPinned: ({ session }, { entities }) => assert.equal(entities.session(session).isPinned, true, "pinned"),
  assertSessionUnpinned: ({ session }, { entities }) =>
    assert.equal(entities.session(session).isPinned, false, "pinned"),
  assertSessionDirty: ({ session }, { entities }) =>
    assert.equal(entities.session(session).serverSession.isDirty, true, "dirty"),
  assertSessionNotDirty: ({ session }, { entities }) =>
    assert.equal(entities.session(session).serverSession.isDirty, false, "dirty"),
  assertSessionTransactionState: ({ session, state }, { entities }) => {
    const { transaction } = entities.session(session) as unknown as { transaction: { state: string } };
    assert.equal(transaction.state, transactionStates[String(state)]);
  },
  assertSameLsidOnLastTwoCommands: ({ client }, { entities }) => assert.ok(isSameSession(entities, client)),
  assertDifferentLsidOnLastTwoCommands: ({ client }, { entities }) => assert.ok(!isSameSession(entities, client)),
  assertNumberConnectionsCheckedOut: ({ client, connections }, { entities }) =>
    assert.equal(entities.connectionsCheckedOut(String(client)), connections, "connections checked out"),
  assertEventCount: ({ client, event, count }, { entities }) =>
    entities.matchEvents({ client: String(client), events: Array(Number(count)).fill(event) } as ExpectedEvents),
  assertCollectionExists: async (given, running) => assert.ok(await hasCollection(given, running)),
  assertCollectionNotExists: async (given, running) => assert.ok(!(await hasCollection(given, running))),
  assertIndexExists: async (given, running) => assert.ok(await hasIndex(given, running)),
  assertIndexNotExists: async (given, running) => assert.ok(!(await hasIndex(given, running))),
};

/** As the driver calls the states that the format names. */
const transactionStates: Readonly<Record<string, string>> = {
  none: "NO_TRANSACTION",
  starting: "STARTING_TRANSACTION",
  in_progress: "TRANSACTION_IN_PROGRESS",
  committed: "TRANSACTION_COMMITTED",
  aborted: "TRANSACTION_ABORTED",
};

async function setFailPoint(
  failPoint: Arguments,
  client: MongoClient,
  running: RunningTest,
  session: unknown,
): Promise<void> {
  running.failPoints.add(String(failPoint["configureFailPoint"]));
  const options = session === undefined ? {} : { session: running.entities.session(session) };
  await client.db("admin").command({ ...failPoint }, options);
}

/** The client by which a session was begun. */
function clientOf({ entities }: RunningTest, session: unknown): MongoClient {
  return (entities.session(session) as unknown as { client: MongoClient }).client;
}

function isSameSession(entities: Entities, client: unknown): boolean {
  const [first, second] = entities.startedCommands(String(client)).slice(-2);
  assert.ok(first?.["lsid"] !== undefined && second?.["lsid"] !== undefined, "two commands of sessions");
  return isDeepStrictEqual(first["lsid"], second["lsid"]);
}

async function hasCollection({ databaseName, collectionName }: Arguments, { internal }: RunningTest): Promise<boolean> {
  const found = internal.db(String(databaseName)).listCollections({ name: collectionName }, { nameOnly: true });
  return (await found.toArray()).length > 0;
}

/** The collection is not there, and so neither is an index of it. */
const namespaceNotFound = 26;

async function hasIndex(given: Arguments, { internal }: RunningTest): Promise<boolean> {
  const { databaseName, collectionName, indexName } = given;
  const collection = internal.db(String(databaseName)).collection(String(collectionName));
  const indexes = await collection
    .listIndexes()
    .toArray()
    .catch((error: unknown) => {
      if (error instanceof MongoServerError && error.code === namespaceNotFound) return [];
      throw error;
    });
  return indexes.some(({ name }) => name === indexName);
}
