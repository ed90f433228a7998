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
  /** Of the transaction that it was made in. */
  readonly transactionNumber: bigint | undefined;
  readonly neverIdle: boolean;
  readonly awaitsData: boolean;
  usedMs: number;
  busy: boolean;
  killed: boolean;
}

/** Who asks for a cursor's next batch. */
export interface CursorUser {
  readonly namespace: string;
  readonly userName: string;
  readonly sessionId: Uint8Array | undefined;
  readonly transactionNumber: bigint | undefined;
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
      readonly transactionNumber?: bigint | undefined;
      readonly neverIdle: boolean;
      /** Its `getMore` waits for what is yet to come. */
      readonly awaitsData?: boolean | undefined;
    },
  ): bigint {
    if (this.#cursors.size >= cursorsMax) this.closeIdle();
    if (this.#cursors.size >= cursorsMax) {
      cursor.close();
      throw new EngineError(2, "BadValue", "too many open cursors");
    }
    let id: bigint;
    do id = Buffer.from(this.#ids.randomBytes(8)).readBigUInt64LE() >> 1n;
    while (id === 0n || this.#cursors.has(id));
    this.#cursors.set(id, {
      cursor,
      namespace: about.namespace,
      userName: about.userName,
      sessionKey: sessionKey(about.sessionId),
      transactionNumber: about.transactionNumber,
      neverIdle: about.neverIdle,
      awaitsData: about.awaitsData === true,
      usedMs: this.#clock.monotonicMs(),
      busy: false,
      killed: false,
    });
    return id;
  }

  /**
   * Lends the cursor for one `getMore`. Throws 43 CursorNotFound, 13 Unauthorized for somebody else's, 12051 CursorInUse, 237 CursorKilled when it is closed
   * meanwhile (what it gave then is not all there is), 50736 to 50738 for a session that is not the cursor's, and 50739 to 50741 for a transaction that is not.
   */
  async use<Result>(
    id: bigint,
    by: CursorUser,
    work: (cursor: EngineCursor, awaitsData: boolean) => Promise<Result>,
  ): Promise<Result> {
    const { namespace, userName } = by;
    const found = this.#cursors.get(id);
    if (found !== undefined && this.#isIdle(found)) this.#close(id, found);
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
    requireSame(id, "session", 50_736, open.sessionKey, sessionKey(by.sessionId));
    requireSame(id, "transaction", 50_739, open.transactionNumber, by.transactionNumber);
    if (open.busy) throw new EngineError(12_051, "CursorInUse", `cursor id ${id} is already in use`);
    open.busy = true;
    try {
      const result = await work(open.cursor, open.awaitsData);
      if (open.killed) throw new EngineError(237, "CursorKilled", `cursor id ${id} was killed while it was read`);
      return result;
    } finally {
      open.busy = false;
      open.usedMs = this.#clock.monotonicMs();
      if (open.cursor.exhausted) this.#cursors.delete(id);
    }
  }

  /** Whether it is there and follows changes. */
  isChangeStream(id: bigint): boolean {
    return this.#cursors.get(id)?.cursor.resumeToken !== undefined;
  }

  /** Closes it; false when it is not there or somebody else's. */
  kill(id: bigint, userName: string): boolean {
    const open = this.#cursors.get(id);
    if (open === undefined || open.userName !== userName) return false;
    this.#close(id, open);
    return true;
  }

  /** Closes what sessions left open, by their keys in hexadecimal digits. */
  endSessions(isMeant: (sessionKey: string) => boolean): void {
    for (const [id, open] of this.#cursors)
      if (open.sessionKey !== undefined && isMeant(open.sessionKey)) this.#close(id, open);
  }

  closeAll(): void {
    for (const [id, open] of this.#cursors) this.#close(id, open);
  }

  /** Closes what nobody asked for during ten minutes. */
  closeIdle(): void {
    for (const [id, open] of this.#cursors) if (this.#isIdle(open)) this.#close(id, open);
  }

  #isIdle({ busy, neverIdle, usedMs }: OpenCursor): boolean {
    return !busy && !neverIdle && this.#clock.monotonicMs() - usedMs > idleTimeoutMs;
  }

  #close(id: bigint, open: OpenCursor): void {
    open.killed = true;
    this.#cursors.delete(id);
    open.cursor.close();
  }
}

/**
 * Throws `firstCode` for a cursor of none that is asked for in one, the code after that for one that is asked for outside of its own, and the next for another's. Ids of
 * sessions are not told.
 */
function requireSame<Key>(
  id: bigint,
  what: "session" | "transaction",
  firstCode: number,
  own: Key | undefined,
  given: Key | undefined,
): void {
  if (own === given) return;
  const [code, words] =
    own === undefined
      ? [firstCode, `which was not created in a ${what}, in a ${what}`]
      : given === undefined
        ? [firstCode + 1, `which was created in a ${what}, without one`]
        : [firstCode + 2, `which was created in another ${what}`];
  throw new EngineError(code, `Location${code}`, `Cannot run getMore on cursor ${id}, ${words}`);
}

function sessionKey(sessionId: Uint8Array | undefined): string | undefined {
  return sessionId === undefined ? undefined : Buffer.from(sessionId).toString("hex");
}
