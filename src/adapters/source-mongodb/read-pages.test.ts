import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { BSON, type CommandStartedEvent, MongoClient } from "mongodb";
import { createFakeClock } from "../../../test/support/fake-clock.ts";
import { type HostedDatabases, openHostedDatabases } from "../../../test/support/hosted-databases.ts";
import { answersFromOneServer, readPages } from "./read-pages.ts";
import { createMongoSource } from "./source-mongodb.ts";

const never = new AbortController().signal;
const mebibyte = 1_048_576;

describe("reading a collection in pages", () => {
  let databases: HostedDatabases;
  let client: MongoClient;
  let connectionString: string;
  const commands: CommandStartedEvent[] = [];
  const commandsNamed = (name: string): CommandStartedEvent[] =>
    commands.filter(({ commandName }) => commandName === name);
  /** About 20 MiB, of sizes that differ. */
  const documents = Array.from({ length: 20_000 }, (_, index) =>
    BSON.serialize({ _id: index, filler: "x".repeat((index * 7919) % 2000) }),
  );

  before(async () => {
    databases = await openHostedDatabases();
    const deployment = databases.deployment();
    await databases.host.start(deployment);
    connectionString = await databases.host.systemConnectionString(deployment.id);
    client = await new MongoClient(connectionString, { monitorCommands: true }).connect();
    client.on("commandStarted", (event) => commands.push(event));
    const orders = client.db("shop").collection("orders");
    for (let start = 0; start < documents.length; start += 5000)
      await orders.insertMany(documents.slice(start, start + 5000).map((bytes) => BSON.deserialize(bytes)) as never[]);
  });
  after(async () => {
    await client.close();
    await databases.close();
  });

  async function* pages(name = "orders"): AsyncGenerator<Uint8Array> {
    commands.length = 0;
    await using session = client.startSession({ snapshot: true });
    yield* readPages({
      database: client.db("shop"),
      name,
      session,
      signal: never,
      pieceBytes: mebibyte,
      onPiece: async () => undefined,
    });
  }

  test("gives every document in order, and asks for some mebibytes at once however large documents are", async () => {
    assert.ok(Buffer.concat(await Array.fromAsync(pages())).equals(Buffer.concat(documents)));
    assert.equal(commandsNamed("find").length, 1);
    const count = commandsNamed("getMore").length;
    assert.ok(count >= 4 && count <= 8, `${count} pages`);
    assert.equal(commandsNamed("killCursors").length, 0);
  });

  test("has one page on its way while another is used, and no more when the reader stops; the cursor is closed then", async () => {
    const reading = pages();
    await reading.next();
    // Whatever time goes by.
    await client.db("admin").command({ ping: 1 });
    assert.equal(commandsNamed("getMore").length, 1);
    await reading.return(undefined);
    assert.deepEqual([commandsNamed("getMore").length, commandsNamed("killCursors").length], [1, 1]);
  });

  test("gives nothing of a collection that is empty or not there", async () => {
    assert.deepEqual(await Array.fromAsync(pages("nothing")), []);
  });

  test("is not done where the driver may ask one server first and another then, and the same is read", async () => {
    const choosing = connectionString.replace("directConnection=true", "readPreference=secondaryPreferred");
    await using chosen = await new MongoClient(choosing).connect();
    assert.deepEqual([await answersFromOneServer(client), await answersFromOneServer(chosen)], [true, false]);
    const reading = await createMongoSource(createFakeClock()).open(choosing, never);
    const pieces = await Array.fromAsync(reading.documents("shop", "orders"));
    await reading.close();
    assert.ok(Buffer.concat(pieces).equals(Buffer.concat(documents)));
  });
});
