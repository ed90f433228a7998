import assert from "node:assert/strict";
import { createServer } from "node:net";
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, statSync, writeFileSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { MongoClient, MongoServerError } from "mongodb";
import { type HostedDatabases, openHostedDatabases } from "../../../test/support/hosted-databases.ts";
import { RawClient } from "../../../test/support/raw-client.ts";
import { scramCredential } from "../../domain/database-users/scram-credential.ts";
import type { DatabaseUserCredential } from "../../ports/database-user-directory.ts";

/** Nothing for a descriptor that was closed meanwhile. */
function linkOf(path: string): readonly string[] {
  try {
    return [readlinkSync(path)];
  } catch {
    return [];
  }
}

const emptyDocument = Uint8Array.of(5, 0, 0, 0, 0);

describe("a hosted database", () => {
  const users = new Map<string, DatabaseUserCredential>();
  let databases: HostedDatabases;
  before(async () => {
    databases = await openHostedDatabases({
      directory: {
        findCredential: async (_deploymentId, _database, username) => users.get(username),
        list: async () => [],
      },
    });
  });
  after(() => databases.close());

  test("answers a driver, keeps its documents over a stop, and its folder and files are the owner's alone", async () => {
    const { host } = databases;
    const deployment = databases.deployment();
    const address = await host.start(deployment);
    assert.deepEqual(await host.start(deployment), address, "starting again answers the same address");
    const folder = join(databases.folder, "engine", deployment.id);
    assert.deepEqual(await readdir(folder), [], "no file is opened before the first command");
    const client = await databases.connect(deployment.id);
    await client
      .db("shop")
      .collection("orders")
      .insertOne({ _id: 1 as never });
    assert.equal(statSync(folder).mode & 0o777, 0o700);
    for (const name of await readdir(folder)) assert.equal(statSync(join(folder, name)).mode & 0o777, 0o600, name);
    await host.stop(deployment.id);
    assert.deepEqual(await readdir(folder), ["1.sqlite"], "the log is folded into the one file");
    const next = await host.start({ ...deployment, port: address.port });
    assert.equal(next.port, address.port, "it keeps the port it had");
    assert.equal(await (await databases.connect(deployment.id)).db("shop").collection("orders").countDocuments(), 1);
  });

  test("asks at every login whether the user may come in", async () => {
    const { host, ids } = databases;
    const deployment = databases.deployment();
    const { port } = await host.start(deployment);
    const login = async (password: string): Promise<unknown> => {
      const client = new MongoClient(`mongodb://alice:${password}@127.0.0.1:${port}/?directConnection=true`, {
        serverSelectionTimeoutMS: 5000,
      });
      try {
        return await client.db("shop").command({ ping: 1 });
      } finally {
        await client.close();
      }
    };
    const refused = (error: unknown): boolean => error instanceof MongoServerError && error.code === 18;
    await assert.rejects(login("open-sesame"), refused, "before she is known");
    const credential = await scramCredential("open-sesame", ids);
    users.set("alice", { username: "alice", credential, roles: [{ roleName: "readWrite", databaseName: "shop" }] });
    await login("open-sesame");
    await assert.rejects(login("wrong"), refused);
    users.delete("alice");
    await assert.rejects(login("open-sesame"), refused, "after she was deleted");
  });

  test("the system user's password is another in each process and never logged", async () => {
    const { host } = databases;
    const deployment = databases.deployment();
    await host.start(deployment);
    const password = new URL(await host.systemConnectionString(deployment.id)).password;
    assert.ok(password.length >= 32);
    assert.ok(!databases.logged.some((line) => line.includes(password)));
    await assert.rejects(host.systemConnectionString(databases.deployment().id), /not running/);
  });

  test("takes the next free port when the former one is taken, and says when none is left", async () => {
    const first = 19_000 + (process.pid % 90) * 10;
    const foreign = createServer();
    await new Promise<void>((fulfil) => foreign.listen(first, "127.0.0.1", fulfil));
    const narrow = await openHostedDatabases({ ports: { first, last: first + 1 } });
    try {
      const { port } = await narrow.host.start(narrow.deployment({ port: first }));
      assert.equal(port, first + 1);
      await assert.rejects(
        narrow.host.start(narrow.deployment({ name: "Instance1" })),
        new RegExp(`No port of ${first}-${first + 1} is free for the database of Instance1`),
      );
    } finally {
      await narrow.close();
      foreign.close();
    }
  });

  test("two starts at once are one", async () => {
    const deployment = databases.deployment();
    const [one, other] = await Promise.all([databases.host.start(deployment), databases.host.start(deployment)]);
    assert.deepEqual(one, other);
  });

  test("removing leaves nothing of it, and removing what is not there is fine", async () => {
    const { host } = databases;
    const deployment = databases.deployment();
    const { port } = await host.start(deployment);
    await (await databases.connect(deployment.id)).db("shop").collection("orders").insertOne({});
    await host.remove(deployment.id);
    await host.remove(deployment.id);
    assert.ok(!(await readdir(join(databases.folder, "engine"))).includes(deployment.id));
    const refused = new MongoClient(`mongodb://127.0.0.1:${port}/?directConnection=true`, {
      serverSelectionTimeoutMS: 500,
    });
    await assert.rejects(refused.connect());
  });

  test("an id that could name another folder is refused", async () => {
    await assert.rejects(
      databases.host.start(databases.deployment({ id: "../../elsewhere" })),
      /24 hexadecimal digits/,
    );
    await assert.rejects(databases.host.remove(".."), /24 hexadecimal digits/);
  });
});

describe("a database that nobody uses", () => {
  /** Threads of this process, as the kernel lists them. */
  const engineThreads = (): readonly string[] =>
    readdirSync("/proc/self/task").filter(
      (task) => readFileSync(`/proc/self/task/${task}/comm`, "utf8").trim() === "telamon-engine",
    );
  const openFiles = (folder: string): readonly string[] =>
    readdirSync("/proc/self/fd")
      .flatMap((descriptor) => linkOf(`/proc/self/fd/${descriptor}`))
      .filter((path) => path.startsWith(folder));
  const skip = !existsSync("/proc/self/task") && "there is no /proc here";
  const until = async (holds: () => boolean): Promise<void> => {
    while (!holds()) await new Promise((fulfil) => setTimeout(fulfil, 10));
  };

  test(
    "has no thread and no open file, keeps its port, and is there at once for the next client",
    { skip },
    async () => {
      const databases = await openHostedDatabases({ idleMs: 200 });
      try {
        const { host } = databases;
        const deployment = databases.deployment();
        await host.start(deployment);
        assert.deepEqual(engineThreads(), [], "a start wakes nothing");
        for (let round = 1; round <= 3; round += 1) {
          const client = await databases.connect(deployment.id);
          const orders = client.db("shop").collection("orders");
          await orders.insertOne({ round });
          assert.equal(await orders.countDocuments(), round);
          assert.equal(engineThreads().length, 1);
          await client.close();
          await until(() => engineThreads().length === 0);
          assert.deepEqual(openFiles(databases.folder), []);
        }
      } finally {
        await databases.close();
      }
    },
  );

  test(
    "has none of its own either where a spare one is kept: one for all, without a file, and another after it was used",
    { skip },
    async () => {
      const databases = await openHostedDatabases({ idleMs: 200, spareThreadDelayMs: 0 });
      try {
        const { host } = databases;
        const deployments = [databases.deployment(), databases.deployment(), databases.deployment()] as const;
        assert.deepEqual(engineThreads(), [], "with nothing that could wake there is none");
        for (const deployment of deployments) await host.start(deployment);
        for (const deployment of deployments) {
          await until(() => engineThreads().length === 1);
          const [spare] = engineThreads();
          assert.deepEqual(openFiles(databases.folder), []);
          const client = await databases.connect(deployment.id);
          assert.equal(await client.db("shop").collection("orders").countDocuments(), 0);
          assert.deepEqual(engineThreads(), [spare], "the spare one serves");
          await client.close();
          await until(() => engineThreads().length === 1 && engineThreads()[0] !== spare);
        }
        for (const { id } of deployments) await host.remove(id);
        await until(() => engineThreads().length === 0);
      } finally {
        await databases.close();
      }
    },
  );

  test("wakes for the file that is true by then", async () => {
    const databases = await openHostedDatabases({ idleMs: 200 });
    try {
      const { host } = databases;
      const deployment = databases.deployment();
      await host.start(deployment);
      const staging = await host.openStaging(deployment.id, 2);
      await staging.createCollection({
        database: "shop",
        name: "restored",
        type: "collection",
        options: emptyDocument,
        indexes: [],
      });
      await staging.finish();
      await host.switchGeneration(deployment.id, 2, async () => true);
      const client = await databases.connect(deployment.id);
      const collections = await client.db("shop").listCollections().toArray();
      assert.deepEqual(
        collections.map(({ name }) => name),
        ["restored"],
      );
    } finally {
      await databases.close();
    }
  });

  test("sees the client that woke it by the client's own port", async () => {
    const databases = await openHostedDatabases();
    try {
      const deployment = databases.deployment();
      const { port } = await databases.host.start(deployment);
      const raw = await RawClient.connect(port);
      const reply = await raw.command({ whatsmyuri: 1 }, "admin");
      assert.equal(reply.you, `127.0.0.1:${raw.socket.localPort}`);
      raw.destroy();
    } finally {
      await databases.close();
    }
  });
});

describe("files of other generations", () => {
  test("are deleted at a start, but never while the true one is not there", async () => {
    const databases = await openHostedDatabases();
    try {
      const deployment = databases.deployment({ generation: 2 });
      const folder = join(databases.folder, "engine", deployment.id);
      mkdirSync(folder, { recursive: true });
      for (const name of ["1.sqlite", "3.sqlite", "3.sqlite-wal", "22.sqlite"]) writeFileSync(join(folder, name), "");
      await databases.host.start(deployment);
      assert.equal((await readdir(folder)).length, 4, "with nothing to serve, nothing is thrown away");
      await databases.host.stop(deployment.id);
      writeFileSync(join(folder, "2.sqlite"), "");
      await databases.host.start(deployment);
      assert.deepEqual(await readdir(folder), ["2.sqlite"]);
    } finally {
      await databases.close();
    }
  });
});

describe("a database thread that dies", () => {
  test("leaves every database on its port for the next client; what was under way is rejected, what was acknowledged is there", async () => {
    const databases = await openHostedDatabases({
      workerUrl: new URL("../../../test/support/mortal-engine-worker.ts", import.meta.url),
    });
    try {
      const { host } = databases;
      const [one, other] = [databases.deployment(), databases.deployment()];
      await host.start(one);
      await host.start(other);
      const orders = (await databases.connect(one.id)).db("shop").collection("orders");
      await orders.insertOne({ _id: 1 as never });
      const staging = await host.openStaging(other.id, 2);
      const fatal = staging.createCollection({
        database: "shop",
        name: "die",
        type: "collection",
        options: emptyDocument,
        indexes: [],
      });
      await assert.rejects(fatal, /the database thread has ended/);
      await assert.rejects(staging.finish(), /not open any more/, "what was staged is lost, and says so");
      await staging.abort();
      assert.equal(await orders.countDocuments(), 1);
      assert.equal(await (await databases.connect(other.id)).db("shop").collection("orders").countDocuments(), 0);
      assert.ok(databases.logged.some((line) => line.includes("the database thread has ended")));
    } finally {
      await databases.close();
    }
  });

  test("before anything is served is made anew by the next call", async () => {
    const databases = await openHostedDatabases({
      workerUrl: new URL("../../../test/support/mortal-engine-worker.ts", import.meta.url),
    });
    try {
      const deployment = databases.deployment();
      const staging = await databases.host.openStaging(deployment.id, 2);
      await assert.rejects(
        staging.createCollection({
          database: "shop",
          name: "die",
          type: "collection",
          options: emptyDocument,
          indexes: [],
        }),
        /has ended/,
      );
      await databases.host.start(deployment);
      assert.equal(await (await databases.connect(deployment.id)).db("shop").collection("orders").countDocuments(), 0);
    } finally {
      await databases.close();
    }
  });
});
