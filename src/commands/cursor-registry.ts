import { EngineError, type EngineCursor } from "../engine/index.ts";
import type { Clock } from "../ports/clock.ts";
import type { Ids } from "../ports/ids.ts";

/** A cursor that nobody asks for so long is closed. */
const idleTimeoutMs = 600_000;
/** Cursors one database holds open. */
const cursorsMax = 10_000;

interface OpenCursor {
  readonly cursor: EngineCursor;
  readonly namespace: string;
  readonly userName: string;
  readonly sessionKey: string | undefined;
  readonly neverIdle: boolean;
  usedMs: number;
  busy: boolean;
}

/** Cursors between a first batch and their end. */
export class CursorRegistry {
  readonly #clock: Clock;
  readonly #ids: Ids;
  readonly #cursors = new Map<bigint, OpenCursor>();

  constructor(clock: Clock, ids: Ids) {
    this.#clock = clock;
    this.#ids = ids;
  }

  get size(): number {
    return this.#cursors.size;
  }

  add(
    cursor: EngineCursor,
    about: {
      readonly namespace: string;
      readonly userName: string;
      readonly sessionId: Uint8Array | undefined;
      readonly neverIdle: boolean;
    },
  ): bigint {
    this.#closeIdle();
    if (this.#cursors.size >= cursorsMax) throw new EngineError(2, "BadValue", "too many open cursors");
    let id: bigint;
    do id = new DataView(this.#ids.randomBytes(8).buffer).getBigUint64(0) >> 1n;
    while (id === 0n || this.#cursors.has(id));
    this.#cursors.set(id, {
      cursor,
      namespace: about.namespace,
      userName: about.userName,
      sessionKey: sessionKey(about.sessionId),
      neverIdle: about.neverIdle,
      usedMs: this.#clock.monotonicMs(),
      busy: false,
    });
    return id;
  }

  /** Lends the cursor for one `getMore`. Throws 43 CursorNotFound, 13 Unauthorized for somebody else's, 292 for one in use. */
  async use<Result>(
    id: bigint,
    namespace: string,
    userName: string,
    work: (cursor: EngineCursor) => Promise<Result>,
  ): Promise<Result> {
    this.#closeIdle();
    const open = this.#cursors.get(id);
    if (open === undefined) throw new EngineError(43, "CursorNotFound", `cursor id ${id} not found`);
    if (open.userName !== userName)
      throw new EngineError(13, "Unauthorized", `cursor id ${id} was not created by the authenticated user`);
    if (open.namespace !== namespace)
      throw new EngineError(
        13,
        "Unauthorized",
        `Requested getMore on namespace '${namespace}', but cursor belongs to a different namespace ${open.namespace}`,
      );
    if (open.busy) throw new EngineError(12_051, "CursorInUse", `cursor id ${id} is already in use`);
    open.busy = true;
    try {
      return await work(open.cursor);
    } finally {
      open.busy = false;
      open.usedMs = this.#clock.monotonicMs();
      if (open.cursor.exhausted) this.#cursors.delete(id);
    }
  }

  /** Closes it; false when it is not there or somebody else's. */
  kill(id: bigint, userName: string): boolean {
    const open = this.#cursors.get(id);
    if (open === undefined || open.userName !== userName) return false;
    open.cursor.close();
    this.#cursors.delete(id);
    return true;
  }

  /** Closes what a session left open. */
  endSession(sessionId: Uint8Array): void {
    const key = sessionKey(sessionId);
    for (const [id, open] of this.#cursors) {
      if (open.sessionKey !== key) continue;
      open.cursor.close();
      this.#cursors.delete(id);
    }
  }

  closeAll(): void {
    for (const { cursor } of this.#cursors.values()) cursor.close();
    this.#cursors.clear();
  }

  #closeIdle(): void {
    const nowMs = this.#clock.monotonicMs();
    for (const [id, open] of this.#cursors) {
      if (open.busy || open.neverIdle || nowMs - open.usedMs <= idleTimeoutMs) continue;
      open.cursor.close();
      this.#cursors.delete(id);
    }
  }
}

function sessionKey(sessionId: Uint8Array | undefined): string | undefined {
  return sessionId === undefined ? undefined : Buffer.from(sessionId).toString("hex");
}
