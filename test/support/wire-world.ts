import { createHash, createHmac, pbkdf2Sync, randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MongoClient } from "mongodb";
import { createSystemClock } from "../../src/adapters/clock-system.ts";
import { createRandomIds } from "../../src/adapters/ids-random.ts";
import { type Engine, openEngine } from "../../src/engine/index.ts";
import type { Clock } from "../../src/ports/clock.ts";
import type { DatabaseRole, DatabaseUserCredential } from "../../src/ports/database-user-directory.ts";
import type { WireLimits } from "../../src/wire/limits.ts";
import { startWireListener, type WireListener } from "../../src/wire/listener.ts";
import { RawClient } from "./raw-client.ts";

/** A database user whose password is `password`. */
export function databaseUser(username: string, ...roles: readonly DatabaseRole[]): DatabaseUserCredential {
  const salt = Uint8Array.from(randomBytes(28));
  const salted = pbkdf2Sync("password", salt, 4096, 32, "sha256");
  const key = (name: string): Uint8Array => createHmac("sha256", salted).update(name).digest();
  return {
    username,
    credential: {
      salt,
      iterationCount: 4096,
      storedKey: createHash("sha256").update(key("Client Key")).digest(),
      serverKey: key("Server Key"),
    },
    roles,
  };
}

export interface WireWorld {
  readonly engine: Engine;
  readonly listener: WireListener;
  /** Who may log in; may be changed. */
  readonly users: DatabaseUserCredential[];
  /** What was logged as warnings and errors. */
  readonly logged: { readonly level: string; readonly fields: object; readonly message: string }[];
  /** A driver's client; without a name it does not log in. */
  as(name?: string, options?: string): MongoClient;
  /** A client that sends bytes. */
  raw(): Promise<RawClient>;
  stop(): Promise<void>;
}

export interface WireWorldOptions {
  readonly users?: readonly DatabaseUserCredential[];
  readonly limits?: Partial<WireLimits>;
  /** Whether `configureFailPoint` is there. */
  readonly testCommands?: boolean;
  /** The listener's clock; the engine has the system's. */
  readonly clock?: Clock;
}

/** A listener on 127.0.0.1 over an engine on a file of its own. The user `admin` may do everything. */
export async function startWireWorld(options: WireWorldOptions = {}): Promise<WireWorld> {
  const folder = mkdtempSync(join(tmpdir(), "telamon-wire-"));
  const systemClock = createSystemClock();
  const ids = createRandomIds(systemClock);
  const users = [databaseUser("admin", { roleName: "atlasAdmin", databaseName: "admin" }), ...(options.users ?? [])];
  const logged: WireWorld["logged"] = [];
  const line =
    (level: string) =>
    (fields: object, message: string): void =>
      void logged.push({ level, fields, message });
  const engine = await openEngine({
    path: join(folder, "data.sqlite"),
    clock: systemClock,
    randomBytes: (length) => ids.randomBytes(length),
  });
  const listener = await startWireListener({
    host: "127.0.0.1",
    port: 0,
    deploymentId: "test",
    replicaSetName: "rs",
    serverVersion: "8.0.0",
    openEngine: async () => engine,
    testCommands: options.testCommands ?? false,
    directory: {
      findCredential: async (_deployment, _database, name) => users.find(({ username }) => username === name),
      list: async () => users.map(({ username, roles }) => ({ username, authenticationDatabase: "admin", roles })),
    },
    systemUser: undefined,
    clock: options.clock ?? systemClock,
    ids,
    log: { debug: () => undefined, info: () => undefined, warn: line("warn"), error: line("error") },
    ...(options.limits === undefined ? {} : { limits: options.limits }),
  });
  const clients: MongoClient[] = [];
  const raws: RawClient[] = [];
  return {
    engine,
    listener,
    users,
    logged,
    as(name, more = "") {
      const login = name === undefined ? "" : `${name}:password@`;
      const client = new MongoClient(
        `mongodb://${login}127.0.0.1:${listener.port}/?${name === undefined ? "directConnection=true" : "replicaSet=rs&authSource=admin"}&serverSelectionTimeoutMS=3000${more}`,
      );
      clients.push(client);
      return client;
    },
    async raw() {
      const client = await RawClient.connect(listener.port);
      raws.push(client);
      return client;
    },
    async stop() {
      for (const raw of raws) raw.destroy();
      await Promise.all(clients.map((client) => client.close()));
      await listener.close();
      await engine.close();
      rmSync(folder, { recursive: true });
    },
  };
}
