import { EngineError } from "./engine-error.ts";
import type { Catalog } from "./catalog/catalog.ts";
import type { ClusterTime } from "./engine.ts";
import type { Connection, DatabaseFile } from "./storage/database-file.ts";

/** How long a pinned state is held after its last use; a pinned state keeps the log from being folded in. */
export const snapshotLifetimeMs = 300_000;

/** A state to read: its connection and the catalog it has. */
export interface ReadState {
  readonly connection: Connection;
  readonly catalog: Catalog;
}

interface Pinned extends ReadState {
  usedMs: number;
}

/** States of the file that were pinned for reads at a cluster time. */
export class SnapshotRegistry {
  readonly #file: DatabaseFile;
  readonly #monotonicMs: () => number;
  readonly #pinned = new Map<string, Pinned>();

  constructor(file: DatabaseFile, monotonicMs: () => number) {
    this.#file = file;
    this.#monotonicMs = monotonicMs;
  }

  /** Pins what is committed now under `time`. No write may be going on. */
  pin(time: ClusterTime, catalog: Catalog): void {
    this.#dropExpired();
    const key = keyOf(time);
    const known = this.#pinned.get(key);
    if (known !== undefined) {
      known.usedMs = this.#monotonicMs();
      return;
    }
    this.#pinned.set(key, { connection: this.#file.openPinned(), catalog, usedMs: this.#monotonicMs() });
  }

  /** The state pinned under `time`. Throws 239 SnapshotTooOld. */
  at(time: ClusterTime): ReadState {
    this.#dropExpired();
    const pinned = this.#pinned.get(keyOf(time));
    if (pinned === undefined)
      throw new EngineError(
        239,
        "SnapshotTooOld",
        `Read timestamp ${keyOf(time)} is older than the oldest available timestamp.`,
      );
    pinned.usedMs = this.#monotonicMs();
    return pinned;
  }

  close(): void {
    for (const { connection } of this.#pinned.values()) connection.close();
    this.#pinned.clear();
  }

  #dropExpired(): void {
    const nowMs = this.#monotonicMs();
    for (const [key, pinned] of this.#pinned) {
      if (nowMs - pinned.usedMs <= snapshotLifetimeMs) continue;
      pinned.connection.close();
      this.#pinned.delete(key);
    }
  }
}

function keyOf({ seconds, increment }: ClusterTime): string {
  return `${seconds}.${increment}`;
}
