import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSystemClock } from "../../src/adapters/clock-system.ts";
import { createSystemUser } from "../../src/adapters/deployment-host-embedded/system-user.ts";
import { createRandomIds } from "../../src/adapters/ids-random.ts";
import { type Engine, openEngine, type ReadOptions } from "../../src/engine/index.ts";
import type { Log } from "../../src/ports/log.ts";
import { startWireListener } from "../../src/wire/listener.ts";

const silent: Log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

/** A database of its own behind the wire protocol, whose snapshot reads do as told. `work` is given a connection string of who may do everything. */
export async function withFaultyDatabase(
  beginSnapshot: (engine: Engine) => ReturnType<Engine["beginSnapshot"]>,
  work: (connectionString: string) => Promise<void>,
  onFind: (read: ReadOptions) => void = () => undefined,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "telamon-source-"));
  const clock = createSystemClock();
  const ids = createRandomIds(clock);
  const engine = await openEngine({
    path: join(folder, "1.sqlite"),
    clock,
    randomBytes: (length) => ids.randomBytes(length),
  });
  const server: Engine = new Proxy(engine, {
    get(_target, name) {
      if (name === "beginSnapshot") return () => beginSnapshot(engine);
      if (name === "find") {
        return (...find: Parameters<Engine["find"]>) => {
          onFind(find[2]);
          return engine.find(...find);
        };
      }
      const value: unknown = Reflect.get(engine, name);
      return typeof value === "function" ? value.bind(engine) : value;
    },
  });
  const { username, password, credential } = createSystemUser(ids);
  const listener = await startWireListener({
    host: "127.0.0.1",
    port: 0,
    deploymentId: ids.objectId(),
    replicaSetName: "set",
    serverVersion: "8.0.0",
    openEngine: async () => server,
    directory: { findCredential: async () => undefined, list: async () => [] },
    systemUser: credential,
    clock,
    ids,
    log: silent,
  });
  try {
    await work(`mongodb://${username}:${password}@127.0.0.1:${listener.port}/?directConnection=true`);
  } finally {
    await listener.close();
    await engine.close();
    await rm(folder, { recursive: true, force: true });
  }
}
