import { ClientSession, type Collection, type Db, GridFSBucket, MongoClient, ReadConcern } from "mongodb";
import { withoutCommandHabits } from "./driver-habits.ts";
import { isPlain, match, type NamedValues } from "./match.ts";
import type { Arguments, EntityDescription, EntityFields, ExpectedEvents } from "./test-file.ts";

interface ObservedEvent {
  readonly name: string;
  readonly event: Arguments;
}

/** The driver's name of an event, where it is not the format's without `Event`. */
const eventNames: Readonly<Record<string, string>> = {
  poolCreatedEvent: "connectionPoolCreated",
  poolReadyEvent: "connectionPoolReady",
  poolClearedEvent: "connectionPoolCleared",
  poolClosedEvent: "connectionPoolClosed",
};

/** Clients, databases, collections, sessions, buckets and results of one test, by the names that it gives them. */
export class Entities implements NamedValues {
  readonly #values = new Map<string, unknown>();
  readonly #events = new Map<string, ObservedEvent[]>();
  readonly #sessionIds = new Map<string, unknown>();
  readonly #checkedOut = new Map<string, number>();
  readonly #uri: string;
  #closed = false;

  /** `uri` ends such that `&name=value` may be appended. */
  constructor(uri: string) {
    this.#uri = uri;
  }

  async create(descriptions: readonly EntityDescription[]): Promise<void> {
    for (const description of descriptions)
      for (const [kind, fields] of Object.entries(description)) this.set(fields.id, await this.#make(kind, fields));
  }

  set(id: string, value: unknown): void {
    if (this.#values.has(id)) throw new Error(`the test names two things ${id}`);
    this.#values.set(id, value);
    if (value instanceof ClientSession) this.#sessionIds.set(id, value.id);
  }

  entity(id: string): unknown {
    if (!this.#values.has(id)) throw new Error(`the test has nothing that it names ${id}`);
    return this.#values.get(id);
  }

  client(id: unknown): MongoClient {
    return this.entity(String(id)) as MongoClient;
  }

  session(id: unknown): ClientSession {
    return this.entity(String(id)) as ClientSession;
  }

  sessionId(id: string): unknown {
    return this.#sessionIds.get(id);
  }

  connectionsCheckedOut(client: string): number {
    return this.#checkedOut.get(client) ?? 0;
  }

  /** Events of the commands that a client sent. */
  startedCommands(client: string): readonly Arguments[] {
    return (this.#events.get(client) ?? [])
      .filter(({ name }) => name === "commandStartedEvent")
      .map(({ event }) => event["command"] as Arguments);
  }

  matchEvents({ client, eventType = "command", events, ignoreExtraEvents = false }: ExpectedEvents): void {
    const kind = (name: string): string =>
      name.startsWith("command") ? "command" : /^(connection|pool)/.test(name) ? "cmap" : "sdam";
    const observed = (this.#events.get(client) ?? []).filter(({ name }) => kind(name) === eventType);
    const names = observed.map(({ name, event }) => `${name} ${String(event["commandName"] ?? "")}`).join(", ");
    if (observed.length < events.length || (!ignoreExtraEvents && observed.length > events.length))
      throw new Error(`${client} observed ${observed.length} events, expected ${events.length}: ${names}`);
    events.forEach((expected, index) => {
      const [name, fields] = Object.entries(expected)[0] as [string, Arguments];
      const actual = observed[index] as ObservedEvent;
      if (actual.name !== name) throw new Error(`event ${index} is ${actual.name}, expected ${name}: ${names}`);
      for (const [field, value] of Object.entries(fields))
        match(value, withoutCommandHabits(actual.event[field], value), this, true, `.event ${index}.${field}`);
    });
  }

  /** Ends sessions, then clients. */
  async close(): Promise<void> {
    this.#closed = true;
    const values = [...this.#values.values()];
    for (const value of values) if (value instanceof ClientSession) await value.endSession().catch(() => undefined);
    for (const value of values) if (value instanceof MongoClient) await value.close();
  }

  async #make(kind: string, fields: EntityFields): Promise<unknown> {
    switch (kind) {
      case "client":
        return this.#makeClient(fields);
      case "database":
        return this.client(fields["client"]).db(String(fields["databaseName"]), fields["databaseOptions"] as object);
      case "collection":
        return (this.entity(String(fields["database"])) as Db).collection(
          String(fields["collectionName"]),
          fields["collectionOptions"] as object,
        );
      case "session":
        return this.#makeSession(fields);
      case "bucket":
        return new GridFSBucket(this.entity(String(fields["database"])) as Db, fields["bucketOptions"] as object);
      default:
        throw new Error(`the runner does not know entities of kind ${kind}`);
    }
  }

  #makeSession(fields: EntityFields): ClientSession {
    const { snapshotTime, ...options } = (fields["sessionOptions"] ?? {}) as Arguments;
    const session = this.client(fields["client"]).startSession(options);
    // The driver keeps this time in the session, and has no option for it.
    if (snapshotTime !== undefined) Object.assign(session, { snapshotTime: this.entity(String(snapshotTime)) });
    return session;
  }

  async #makeClient(fields: EntityFields): Promise<MongoClient> {
    const options = Object.entries((fields["uriOptions"] ?? {}) as Arguments)
      .map(([name, value]) => `&${name}=${encodeURIComponent(String(value))}`)
      .join("");
    const serverApi = fields["serverApi"] as { version: "1" } | undefined;
    const client = new MongoClient(this.#uri + options, {
      monitorCommands: true,
      minHeartbeatFrequencyMS: 10,
      ...(serverApi === undefined ? {} : { serverApi }),
    });
    const events: ObservedEvent[] = [];
    this.#events.set(fields.id, events);
    const ignored = new Set(["configureFailPoint", ...((fields["ignoreCommandMonitoringEvents"] ?? []) as string[])]);
    for (const name of (fields["observeEvents"] ?? []) as string[]) {
      listen(client, eventNames[name] ?? name.replace(/Event$/, ""), (event) => {
        if (!ignored.has(String(event["commandName"]))) events.push({ name, event: kept(event) as Arguments });
      });
    }
    const count = (change: number) => (): void =>
      void this.#checkedOut.set(fields.id, this.connectionsCheckedOut(fields.id) + change);
    listen(client, "connectionCheckedOut", count(1));
    listen(client, "connectionCheckedIn", count(-1));
    await client.connect();
    // What this driver does to connect, others do with the first operation, and the tests are written for those.
    events.length = 0;
    // A test that was given up goes on for a while.
    if (this.#closed) {
      await client.close();
      throw new Error("the test has ended");
    }
    return client;
  }
}

/** An event as it is now: the driver goes on to change the objects of a command that it has sent. */
function kept(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(kept);
  if (!isPlain(value) && !isEvent(value) && !(value instanceof ReadConcern)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, kept(inner)]));
}

function isEvent(value: unknown): value is Arguments {
  return typeof value === "object" && value !== null && value.constructor.name.endsWith("Event");
}

/** The driver types its events one by one; their names come from the test. */
function listen(client: MongoClient, name: string, listener: (event: Arguments) => void): void {
  (client as unknown as { on(name: string, listener: (event: Arguments) => void): void }).on(name, listener);
}

export type DriverObject = MongoClient | Db | Collection | ClientSession | GridFSBucket;
