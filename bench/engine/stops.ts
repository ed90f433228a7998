import { serialize } from "bson";
import { MongoServerError, type Collection, type Db, type Document } from "mongodb";
import { largeDatabaseName } from "./delays.ts";
import { fillNasty, nastyCommands } from "./nasty.ts";
import type { TelamonServer } from "./server.ts";

const limitMs = 50;

/** Long commands, each of which would run for longer than the limit. */
const commands: readonly (readonly [string, (collection: string) => Document])[] = [
  ["filtered scan", (find) => ({ find, filter: { note: { $regex: "nothing like it" } } })],
  ["sort", (find) => ({ find, sort: { name: 1 }, projection: { name: 1 } })],
  ["$group", (aggregate) => ({ aggregate, pipeline: [{ $group: { _id: "$name" } }], cursor: {} })],
  ["count", (count) => ({ count, query: { score: { $gt: 0.5 } } })],
  ["distinct", (distinct) => ({ distinct, key: "city" })],
  ["updateMany", (update) => ({ update, updates: [{ q: {}, u: { $inc: { visits: 1 } }, multi: true }] })],
  ["deleteMany", (remove) => ({ delete: remove, deletes: [{ q: { score: { $gt: 2 } }, limit: 0 }] })],
  ["index build", (createIndexes) => ({ createIndexes, indexes: [{ key: { name: 1 }, name: "name_1" }] })],
];

/** How long after its time is up a command is answered, by `maxTimeMS` and by `killOp`. */
export async function stops(telamon: TelamonServer, documents: number): Promise<void> {
  console.log(
    `stopped over ${documents} documents`.padEnd(40) +
      "   maxTimeMS   killOp   (ms until the answer, from when it was due)",
  );
  const database = telamon.client.db(largeDatabaseName);
  for (const [name, make] of commands) await stopped(telamon, database, name, make("people"));
  await fillNasty(database);
  for (const [name, command] of nastyCommands) await stopped(telamon, database, name, command);
}

async function stopped(telamon: TelamonServer, database: Db, name: string, command: Document): Promise<void> {
  const timed = await untilRefused(database, { ...command, maxTimeMS: limitMs });
  const killed = await untilKilled(telamon, database.collection("people"), command);
  console.log(`${name.padEnd(40)} ${show(timed)} ${show(killed)}`);
}

type Stopped = number | string;

async function untilRefused(database: Db, command: Document): Promise<Stopped> {
  // What the driver takes to make a message of it, for a large command more than the server takes to stop, is nobody's delay here.
  const serializationMs = serializationMsOf(command);
  const startedMs = performance.now() + serializationMs;
  try {
    await database.command(command);
    return "ended by itself";
  } catch (error) {
    if (!(error instanceof MongoServerError)) throw error;
    return error.code === 50 ? performance.now() - startedMs - limitMs : `error ${error.code}`;
  }
}

/** The shortest of three, so that what is taken off is not too much. */
function serializationMsOf(command: Document): number {
  const timesMs = [1, 2, 3].map(() => {
    const startedMs = performance.now();
    serialize(command);
    return performance.now() - startedMs;
  });
  return Math.min(...timesMs);
}

async function untilKilled(telamon: TelamonServer, collection: Collection, command: Document): Promise<Stopped> {
  const admin = telamon.client.db("admin");
  const comment = `to be killed ${Math.random()}`;
  const running = telamon.client
    .db(collection.dbName)
    .command({ ...command, comment })
    .then(
      () => "ended by itself",
      (error: unknown) => (error instanceof MongoServerError && error.code === 11_601 ? undefined : String(error)),
    );
  await new Promise((fulfil) => setTimeout(fulfil, limitMs));
  try {
    const { inprog } = await admin.command({ currentOp: 1, "command.comment": comment });
    const [operation] = inprog as { opid: number }[];
    if (operation === undefined) return (await running) ?? "not listed";
    const startedMs = performance.now();
    await admin.command({ killOp: 1, op: operation.opid });
    return (await running) ?? performance.now() - startedMs;
  } catch (error) {
    await running;
    return error instanceof MongoServerError ? `error ${error.code}` : String(error);
  }
}

function show(stopped: Stopped): string {
  return (typeof stopped === "number" ? stopped.toFixed(0) : stopped).padStart(11);
}
