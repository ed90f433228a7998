import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { Binary, type Document, Long } from "mongodb";
import type { RawClient } from "../support/raw-client.ts";
import { databaseUser, startWireWorld, type WireWorld } from "../support/wire-world.ts";

const readWrite = { roleName: "readWrite", databaseName: "shop" } as const;

describe("sessions, their transactions and cursors", () => {
  let world: WireWorld;
  let ann: RawClient;
  before(async () => {
    world = await startWireWorld({ users: [databaseUser("ann", readWrite), databaseUser("bob", readWrite)] });
    ann = await loggedIn("ann");
    for (const collection of ["orders", "others"])
      await ann.command({ insert: collection, documents: [1, 2, 3, 4].map((_id) => ({ _id, n: 0 })) }, "shop");
  });
  after(() => world.stop());

  async function loggedIn(name: string): Promise<RawClient> {
    const client = await world.raw();
    assert.equal((await client.login(name, "password"))["ok"], 1);
    return client;
  }
  const newSession = (): Document => ({ id: new Binary(randomBytes(16), 4) });
  const within = (lsid: Document, number: number): Document => ({
    lsid,
    txnNumber: Long.fromNumber(number),
    autocommit: false,
  });
  const starting = (lsid: Document, number: number): Document => ({ ...within(lsid, number), startTransaction: true });
  const find = async (fields: Document, client: RawClient = ann): Promise<unknown> => {
    const reply = await client.command({ find: "orders", batchSize: 1, ...fields }, "shop");
    assert.equal(reply["ok"], 1, String(reply["errmsg"]));
    return (reply["cursor"] as Document)["id"];
  };
  const more = (id: unknown, fields: Document, client: RawClient = ann): Promise<Document> =>
    client.command({ getMore: id, collection: "orders", batchSize: 1, ...fields }, "shop");
  const update = (fields: Document, client: RawClient = ann): Promise<Document> =>
    client.command({ update: "orders", updates: [{ q: { _id: 1 }, u: { $inc: { n: 1 } } }], ...fields }, "shop");

  test("a cursor of a transaction is read in it and nowhere else", async () => {
    const lsid = newSession();
    const id = await find(starting(lsid, 1));
    assert.equal((await more(id, { lsid }))["code"], 50_740);
    assert.equal((await more(id, {}))["code"], 50_737);
    assert.equal((await more(id, starting(newSession(), 1)))["code"], 50_738);
    assert.equal((await more(id, within(lsid, 1)))["ok"], 1);
    // The transaction that follows ends it.
    assert.equal((await more(id, starting(lsid, 2)))["code"], 50_741);
    assert.equal((await more(id, within(lsid, 1)))["code"], 225);
  });

  test("a cursor of no transaction is not read in one, and one of no session in none", async () => {
    const lsid = newSession();
    const id = await find({ lsid });
    assert.equal((await more(id, starting(lsid, 1)))["code"], 50_739);
    assert.equal((await more(id, { lsid }))["ok"], 1);
    assert.equal((await more(await find({}), { lsid }))["code"], 50_736);
  });

  test("a transaction outlives its connection and a logout, for the same user and for no other", async () => {
    const lsid = newSession();
    const first = await loggedIn("ann");
    assert.equal((await update(starting(lsid, 1), first))["ok"], 1);
    first.destroy();
    await first.closed;
    const second = await loggedIn("ann");
    assert.equal((await update(within(lsid, 1), second))["ok"], 1);
    await second.command({ logout: 1 });
    assert.equal((await update(within(lsid, 1), second))["code"], 13);
    assert.equal((await update(within(lsid, 1), await loggedIn("bob")))["code"], 251);
    assert.equal((await ann.command({ commitTransaction: 1, ...within(lsid, 1) }))["ok"], 1);
  });

  test("a session that says it is another user's is refused", async () => {
    const uid = (name: string): Binary => new Binary(createHash("sha256").update(`${name}@admin`).digest());
    const { id } = newSession();
    assert.equal((await ann.command({ find: "orders", lsid: { id, uid: uid("ann") } }, "shop"))["ok"], 1);
    assert.equal((await ann.command({ find: "orders", lsid: { id, uid: uid("bob") } }, "shop"))["code"], 13);
  });

  const owner = new Binary(createHash("sha256").update("ann@admin").digest());
  for (const [name, command, spares] of [
    ["killAllSessions of everybody", () => ({ killAllSessions: [] }), false],
    ["killAllSessions of a user", () => ({ killAllSessions: [{ user: "ann", db: "admin" }] }), false],
    ["killAllSessions of another", () => ({ killAllSessions: [{ user: "ann", db: "shop" }] }), true],
    ["killAllSessionsByPattern of everybody", () => ({ killAllSessionsByPattern: [] }), false],
    [
      "killAllSessionsByPattern of a session",
      (id) => ({ killAllSessionsByPattern: [{ lsid: { id, uid: owner } }] }),
      false,
    ],
    [
      "killAllSessionsByPattern of another session",
      () => ({ killAllSessionsByPattern: [{ lsid: { ...newSession(), uid: owner } }] }),
      true,
    ],
    ["killAllSessionsByPattern of an owner", () => ({ killAllSessionsByPattern: [{ uid: owner }] }), false],
    [
      "killAllSessionsByPattern of users",
      () => ({ killAllSessionsByPattern: [{ users: [{ user: "ann", db: "admin" }] }] }),
      false,
    ],
  ] as readonly (readonly [string, (id: unknown) => Document, boolean])[])
    test(`${name} ${spares ? "leaves others what they have open" : "ends cursors, transactions and what runs"}`, async () => {
      const admin = await loggedIn("admin");
      const lsid = newSession();
      const cursorSession = newSession();
      const cursor = await find({ lsid: cursorSession });
      assert.equal((await update(starting(lsid, 1)))["ok"], 1);
      const waiting = newSession();
      const stuck = await loggedIn("ann");
      const blocked = update({ lsid: waiting }, stuck);
      await isRunning(admin, waiting);
      assert.equal((await admin.command(command(lsid["id"])))["ok"], 1);
      const ended = (await ann.command({ commitTransaction: 1, ...within(lsid, 1) }))["code"] === 251;
      assert.equal(ended, !spares);
      const isByUser = !name.endsWith("session");
      assert.equal((await more(cursor, { lsid: cursorSession }))["code"], spares || !isByUser ? undefined : 43);
      assert.equal((await blocked)["code"], spares || !isByUser ? undefined : 11_601);
    });

  /** Waits until an update of the session is being run. */
  async function isRunning(admin: RawClient, lsid: Document): Promise<void> {
    for (;;) {
      const { inprog } = await admin.command({ currentOp: 1, "command.update": "orders" });
      const hex = (lsid["id"] as Binary).toString("hex");
      if ((inprog as Document[]).some((one) => (one["lsid"] as Document)["id"].toString("hex") === hex)) return;
    }
  }

  test("killSessions stops what runs in a session of the user's own", async () => {
    const lsid = newSession();
    const [holder, blocked] = [newSession(), await loggedIn("ann")];
    await update(starting(holder, 1));
    const waiting = update({ lsid }, blocked);
    await isRunning(await loggedIn("admin"), lsid);
    await ann.command({ killSessions: [lsid] });
    assert.equal((await waiting)["code"], 11_601);
    await ann.command({ endSessions: [holder] });
    assert.equal((await ann.command({ commitTransaction: 1, ...within(holder, 1) }))["code"], 251);
    assert.equal((await ann.command({ refreshSessions: [lsid] }))["ok"], 1);
  });

  test("$listLocalSessions shows the user's own sessions, and others' to who may see what others do", async () => {
    const lsid = newSession();
    await ann.command({ find: "orders", lsid }, "shop");
    const list = async (client: RawClient, options: Document): Promise<Document> =>
      client.command(
        { aggregate: 1, pipeline: [{ $listLocalSessions: options }], cursor: { batchSize: 10_000 } },
        "shop",
      );
    const shown = async (client: RawClient, options: Document): Promise<Document[]> =>
      ((await list(client, options))["cursor"] as Document)["firstBatch"];
    const isIt = ({ _id }: Document): boolean =>
      Buffer.compare(_id["id"].buffer, (lsid["id"] as Binary).buffer) === 0 && _id["uid"].position === 32;
    const found = (await shown(ann, {})).find(isIt);
    assert.ok(found?.["lastUse"] instanceof Date);
    const [admin, bob] = [await loggedIn("admin"), await loggedIn("bob")];
    assert.equal((await shown(bob, {})).some(isIt), false);
    assert.equal((await shown(admin, { allUsers: true })).some(isIt), true);
    assert.equal((await shown(admin, { users: [{ user: "ann", db: "admin" }] })).some(isIt), true);
    assert.equal((await list(bob, { allUsers: true }))["code"], 13);
    assert.equal((await list(bob, { users: [{ user: "ann", db: "admin" }] }))["code"], 13);
    assert.equal((await list(admin, { allUsers: true, users: [] }))["code"], 72);
    await ann.command({ endSessions: [lsid] });
    assert.equal((await shown(admin, { allUsers: true })).some(isIt), false);
    const started = await ann.command({ startSession: 1 });
    await ann.command({ refreshSessions: [started["id"]] });
    assert.ok((await shown(ann, {})).length > 0);
    const strict = { aggregate: 1, cursor: {}, apiVersion: "1", apiStrict: true };
    const within = [{ $documents: [] }, { $unionWith: { coll: "orders", pipeline: [{ $indexStats: {} }] } }];
    for (const pipeline of [[{ $listLocalSessions: {} }], within])
      assert.equal((await ann.command({ ...strict, pipeline }, "shop"))["code"], 323);
  });

  test("killing others' sessions is for those who may stop others' commands, and roles are no pattern here", async () => {
    assert.equal((await ann.command({ killAllSessionsByPattern: [] }))["code"], 13);
    const admin = await loggedIn("admin");
    const roles = [{ role: "read", db: "shop" }];
    assert.equal((await admin.command({ killAllSessionsByPattern: [{ roles }] }))["code"], 238);
    assert.equal((await admin.command({ killAllSessionsByPattern: [{ name: "ann" }] }))["code"], 40_415);
    assert.equal((await admin.command({ killAllSessionsByPattern: [{ uid: "ann" }] }))["code"], 14);
  });
});
