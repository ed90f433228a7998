import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createFakeClock } from "../../../test/support/fake-clock.ts";
import type { Engine } from "../../engine/index.ts";
import {
  createDatabaseService,
  type DatabaseListener,
  type DatabaseService,
  type ListenerRequest,
} from "./database-service.ts";

const idleMs = 60_000;

interface World {
  readonly service: DatabaseService;
  readonly clock: ReturnType<typeof createFakeClock>;
  /** Files by path: how often opened, and the gate that closing waits for. */
  readonly opened: string[];
  readonly closed: string[];
  /** A path for each time that expired documents were to go. */
  readonly expired: string[];
  readonly listener: { connections: number; closings: string[]; closed: number };
  /** As a command would ask. */
  engine(): Promise<Engine>;
  holdClosing(gate: Promise<void>): void;
  /** Files that are opened from now on are only there, or not, once it has settled. */
  holdOpening(gate: Promise<void>): void;
}

async function createWorld(): Promise<World> {
  const clock = createFakeClock();
  const [opened, closed]: string[][] = [[], []] as const;
  const expired: string[] = [];
  const listener = { connections: 0, closings: [] as string[], closed: 0 };
  let request: ListenerRequest | undefined;
  let gate = Promise.resolve();
  let openingGate = Promise.resolve();
  const log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
  const service = createDatabaseService({
    listen: async (wanted): Promise<DatabaseListener> => {
      request = wanted;
      return {
        port: wanted.port,
        connectionCount: () => listener.connections,
        introduce: () => undefined,
        closeConnections: (reason) => void listener.closings.push(reason),
        close: async () => void (listener.closed += 1),
      };
    },
    openFile: async (path) => {
      opened?.push(path);
      await openingGate;
      const close = async (): Promise<void> => {
        await gate;
        closed?.push(path);
      };
      const expireDocuments = async (): Promise<number> => expired.push(path);
      return { path, close, expireDocuments } as Engine;
    },
    warmUp: async () => undefined,
    directory: { findCredential: async () => undefined, list: async () => [] },
    idleMs,
    clock,
    log,
  });
  await service.calls.start({ id: "one", replicaSetName: "set", path: "1.sqlite", port: 27_100 });
  const engine = (): Promise<Engine> => (request as ListenerRequest).openEngine();
  return {
    service,
    clock,
    opened: opened as string[],
    closed: closed as string[],
    expired,
    listener,
    engine,
    holdClosing: (promise) => void (gate = promise),
    holdOpening: (promise) => void (openingGate = promise),
  };
}

describe("the engine behind a listener", () => {
  test("is opened at the first command and is one for all", async () => {
    const { opened, engine } = await createWorld();
    assert.deepEqual(opened, []);
    assert.equal(await engine(), await engine());
    assert.deepEqual(opened, ["1.sqlite"]);
  });

  test("is opened once for commands that come while it is being opened", async () => {
    const { opened, engine, holdOpening } = await createWorld();
    const { promise, resolve } = Promise.withResolvers<void>();
    holdOpening(promise);
    const [first, second] = [engine(), engine()];
    resolve();
    assert.equal(await first, await second);
    assert.deepEqual(opened, ["1.sqlite"]);
  });

  test("that could not be opened is tried again at the next command", async () => {
    const { opened, engine, holdOpening } = await createWorld();
    holdOpening(Promise.reject(new Error("the disk is away")));
    await assert.rejects(engine(), /the disk is away/);
    holdOpening(Promise.resolve());
    await engine();
    assert.deepEqual(opened, ["1.sqlite", "1.sqlite"]);
  });

  test("that is being opened when the deployment is stopped is closed before that has ended", async () => {
    const { service, opened, closed, engine, holdOpening } = await createWorld();
    const { promise, resolve } = Promise.withResolvers<void>();
    holdOpening(promise);
    const asked = engine();
    await new Promise((fulfil) => setImmediate(fulfil));
    const stopped = service.calls.stop({ id: "one" });
    resolve();
    await stopped;
    await asked;
    assert.deepEqual([opened, closed], [["1.sqlite"], ["1.sqlite"]]);
  });

  test("deletes what expired when it is opened and every minute while it is open", async () => {
    const { clock, engine, expired, service } = await createWorld();
    await engine();
    const pass = async (): Promise<void> => new Promise((done) => void setImmediate(done));
    await pass();
    assert.deepEqual(expired, ["1.sqlite"]);
    clock.advance(59_999);
    await pass();
    assert.equal(expired.length, 1);
    clock.advance(1);
    await pass();
    assert.equal(expired.length, 2);
    await service.calls.stop({ id: "one" });
    clock.advance(600_000);
    await pass();
    assert.equal(expired.length, 2);
    assert.equal(clock.sleeping(), 0);
  });

  test("is stopped when nobody was connected for the idle time, not a moment before", async () => {
    const { service, clock, closed, listener, engine } = await createWorld();
    await engine();
    clock.advance(idleMs - 1);
    assert.deepEqual(await service.calls.rest({}), { stopped: [], inUse: true });
    assert.deepEqual(closed, []);
    clock.advance(1);
    assert.deepEqual(await service.calls.rest({}), { stopped: ["one"], inUse: false });
    assert.deepEqual(closed, ["1.sqlite"]);
    assert.equal(listener.closed, 1, "somebody else may listen on its port now");
    assert.deepEqual(await service.calls.rest({}), { stopped: [], inUse: false });
  });

  test("stays while somebody is connected, however quiet", async () => {
    const { service, clock, closed, listener, engine } = await createWorld();
    await engine();
    listener.connections = 1;
    for (let count = 0; count < 10; count += 1) {
      clock.advance(idleMs);
      assert.deepEqual(await service.calls.rest({}), { stopped: [], inUse: true });
    }
    assert.deepEqual(closed, []);
    listener.connections = 0;
    clock.advance(idleMs);
    assert.deepEqual(await service.calls.rest({}), { stopped: ["one"], inUse: false });
    assert.deepEqual(closed, ["1.sqlite"]);
  });

  test("a file that is being staged keeps the thread", async () => {
    const { service, clock } = await createWorld();
    await service.calls.openStaging({ key: "restore", path: "2.sqlite" });
    clock.advance(idleMs);
    assert.deepEqual(await service.calls.rest({}), { stopped: ["one"], inUse: true });
    await service.calls.closeStaging({ key: "restore" });
    assert.deepEqual(await service.calls.rest({}), { stopped: [], inUse: false });
  });

  test("of the new file is given after a switch, never before the old one is closed", async () => {
    const { service, opened, closed, listener, engine, holdClosing } = await createWorld();
    await engine();
    const { promise, resolve } = Promise.withResolvers<void>();
    holdClosing(promise);
    const switching = service.calls.switchFile({ id: "one", path: "2.sqlite" });
    const asked = engine();
    await new Promise((fulfil) => setImmediate(fulfil));
    assert.deepEqual(opened, ["1.sqlite"]);
    assert.equal(listener.closings.length, 1);
    resolve();
    await switching;
    assert.equal((await asked).path, "2.sqlite");
    assert.deepEqual(closed, ["1.sqlite"]);
  });

  test("is not opened any more once the deployment was stopped", async () => {
    const { service, opened, closed, engine } = await createWorld();
    await engine();
    await service.calls.stop({ id: "one" });
    await service.calls.stop({ id: "one" });
    assert.deepEqual(closed, ["1.sqlite"]);
    await assert.rejects(engine(), /being closed/);
    assert.deepEqual(opened, ["1.sqlite"]);
  });

  test("is closed with everything else at the end", async () => {
    const { service, closed, engine } = await createWorld();
    await engine();
    await service.calls.closeAll({});
    assert.deepEqual(closed, ["1.sqlite"]);
  });
});
