import type { Clock } from "../../ports/clock.ts";
import type { DeploymentAddress, HostedDeployment } from "../../ports/deployment-host.ts";
import type { Log } from "../../ports/log.ts";
import { bridge, type Door, openDoor } from "./door.ts";
import type { EngineThread } from "./engine-thread.ts";

/** A database that clients can reach. */
interface Served {
  readonly deployment: HostedDeployment;
  readonly address: DeploymentAddress;
  generation: number;
  /** Open while the database sleeps; otherwise the thread listens. */
  door: Door | undefined;
  waking: Promise<void> | undefined;
  /** Settled when it is decided which generation is served; nothing is served before. */
  deciding: Promise<void> | undefined;
}

export interface ServedDatabasesOptions {
  readonly thread: EngineThread;
  /** Where to listen. */
  readonly host: string;
  readonly pathOf: (deploymentId: string, generation: number) => string;
  /** When a spare thread is made where there was none; undefined: never. */
  readonly spareThreadDelayMs: number | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

/** Tries to listen where somebody is just about to stop, and the wait between them. */
const reopenAttemptsMax = 20;
const reopenWaitMs = 25;

/**
 * Databases on their ports. Each sleeps behind a door in the main thread until a client comes; then the thread takes over the port and opens the file, until nobody has
 * been there for a while.
 */
export class ServedDatabases {
  readonly #options: ServedDatabasesOptions;
  readonly #served = new Map<string, Served>();
  readonly #closed = new AbortController();
  #sparing = false;

  constructor(options: ServedDatabasesOptions) {
    this.#options = options;
  }

  addressOf(deploymentId: string): DeploymentAddress | undefined {
    return this.#served.get(deploymentId)?.address;
  }

  generationOf(deploymentId: string): number | undefined {
    return this.#served.get(deploymentId)?.generation;
  }

  ports(): ReadonlySet<number> {
    return new Set([...this.#served.values()].map(({ address }) => address.port));
  }

  /** Makes a database reachable, asleep. Throws an error whose `code` is `EADDRINUSE` or `EACCES` when the port cannot be had. */
  async add(deployment: HostedDeployment, address: DeploymentAddress): Promise<void> {
    const { id, generation } = deployment;
    const door = await openDoor({
      host: this.#options.host,
      port: address.port,
      onKnock: () => void this.#wake(id),
    });
    this.#served.set(id, { deployment, address, generation, door, waking: undefined, deciding: undefined });
    this.#keepSpareThread();
  }

  /** Ends connections and closes the file. Nothing happens when it is not served. */
  async remove(deploymentId: string): Promise<void> {
    const served = this.#served.get(deploymentId);
    if (served === undefined) return;
    this.#served.delete(deploymentId);
    await served.waking;
    if (served.door === undefined) await this.#options.thread.call("stop", { id: deploymentId });
    else served.door.close();
  }

  /** Serves another file under the same address if `decide` says so, and none while it decides. Answers what it said. */
  async switchTo(deploymentId: string, generation: number, decide: () => Promise<boolean>): Promise<boolean> {
    const served = this.#served.get(deploymentId);
    if (served === undefined) return decide();
    const { thread, pathOf, log } = this.#options;
    const tell = async (call: () => Promise<void>): Promise<void> => {
      if (!thread.used) return;
      await call().catch((error: unknown) =>
        log.warn({ err: error, deploymentId }, "a database did not change to its restored data at once"),
      );
    };
    const { promise: decided, resolve } = Promise.withResolvers<void>();
    // Whoever wakes it meanwhile gets the generation that is the true one then.
    await served.waking;
    served.deciding = decided;
    try {
      await tell(() => thread.call("holdFile", { id: deploymentId }));
      const isSwitched = await decide();
      if (isSwitched) served.generation = generation;
      return isSwitched;
    } finally {
      served.deciding = undefined;
      resolve();
      await tell(() => thread.call("switchFile", { id: deploymentId, path: pathOf(deploymentId, served.generation) }));
    }
  }

  /** Puts to sleep what nobody has used for a while, and lets the thread go when nothing is left for it to do: a spare one has none of the memory that it came to hold. */
  async rest(): Promise<void> {
    const { thread } = this.#options;
    if (this.#served.size === 0 && !thread.used) await thread.letGo();
    if (!thread.used) return;
    const { stopped, inUse } = await thread.call("rest", {});
    await Promise.all(stopped.map((id) => this.#sleep(id)));
    if (inUse) return;
    await thread.letGo();
    this.#keepSpareThread();
  }

  /** The thread is gone with all it served: its databases sleep until the next client. */
  threadDied(): void {
    for (const { deployment, door } of this.#served.values()) if (door === undefined) void this.#sleep(deployment.id);
  }

  close(): void {
    this.#closed.abort();
    for (const { door } of this.#served.values()) door?.close();
    this.#served.clear();
  }

  /** Has one made in a while, when others have had their turn. */
  #keepSpareThread(): void {
    const { thread, spareThreadDelayMs, clock, log } = this.#options;
    if (spareThreadDelayMs === undefined || this.#sparing) return;
    this.#sparing = true;
    clock
      .sleep(spareThreadDelayMs, this.#closed.signal)
      .then(() => (this.#served.size === 0 ? undefined : thread.keepSpare()))
      .catch((error: unknown) => {
        if (!this.#closed.signal.aborted) log.warn({ err: error }, "no spare thread for databases could be made");
      })
      .finally(() => (this.#sparing = false));
  }

  #wake(id: string): Promise<void> {
    const served = this.#served.get(id);
    if (served === undefined) return Promise.resolve();
    served.waking ??= this.#takeOver(served).finally(() => (served.waking = undefined));
    return served.waking;
  }

  async #takeOver(served: Served): Promise<void> {
    const { thread, pathOf, log } = this.#options;
    const { id } = served.deployment;
    const { host, port, replicaSetName } = served.address;
    try {
      // Nobody listens between giving up the door and the thread's listening, so everything that takes long comes before.
      await thread.ready();
      await served.deciding;
      const door = served.door;
      if (door === undefined || this.#served.get(id) !== served) return;
      served.door = undefined;
      const waiting = door.giveUp();
      try {
        await thread.call("start", { id, replicaSetName, path: pathOf(id, served.generation), port });
      } catch (error) {
        for (const client of waiting) client.destroy();
        throw error;
      }
      for (const client of waiting)
        bridge(client, { host, port }, (from, arrival) => thread.call("introduce", { id, port: from, arrival }));
    } catch (error) {
      log.error({ err: error, deploymentId: id }, "a database could not be woken");
      if (served.door === undefined) await this.#sleep(id);
      else served.door.dismiss();
    }
  }

  async #sleep(id: string): Promise<void> {
    const served = this.#served.get(id);
    if (served === undefined) return;
    const { host, clock, log } = this.#options;
    for (let attempt = 1; ; attempt += 1) {
      try {
        const door = await openDoor({ host, port: served.address.port, onKnock: () => void this.#wake(id) });
        if (this.#served.get(id) === served) served.door = door;
        else door.close();
        return;
      } catch (error) {
        if (attempt === reopenAttemptsMax || this.#served.get(id) !== served) {
          log.error({ err: error, deploymentId: id }, "a database that sleeps cannot be reached: its port is taken");
          return;
        }
        await clock.sleep(reopenWaitMs);
      }
    }
  }
}
