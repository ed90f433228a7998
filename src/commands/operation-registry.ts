import { EngineError, type Value } from "../engine/index.ts";
import type { Clock } from "../ports/clock.ts";
import type { ConnectionState, OperationKind } from "./define-command.ts";

/** A command that is being run. */
export interface RunningOperation {
  readonly id: number;
  readonly connection: ConnectionState;
  readonly command: string;
  readonly kind: OperationKind;
  readonly database: string;
  /** Undefined when it is about no collection. */
  readonly collection: string | undefined;
  readonly body: Uint8Array;
  readonly sessionId: Value | undefined;
  readonly startedMs: number;
  readonly startedMonotonicMs: number;
  /** Aborted by killOp, by `maxTimeMS` and by the end of the connection. */
  readonly controller: AbortController;
}

/** Counts and times of what was done with a collection. */
export interface NamespaceUse {
  readonly counts: Record<OperationKind, number>;
  readonly timesMicros: Record<OperationKind, number>;
}

/** Collections whose use is counted at once; those beyond are not. */
const namespacesMax = 10_000;
const idMax = 2_147_483_647;

/** What runs now, and what was done with each collection since the start. */
export class OperationRegistry {
  readonly #clock: Clock;
  readonly #running = new Map<number, RunningOperation>();
  readonly #uses = new Map<string, NamespaceUse>();
  #lastId = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  begin(operation: Omit<RunningOperation, "id" | "startedMs" | "startedMonotonicMs" | "controller">): RunningOperation {
    this.#lastId = this.#lastId >= idMax ? 1 : this.#lastId + 1;
    const running = {
      ...operation,
      id: this.#lastId,
      startedMs: this.#clock.nowMs(),
      startedMonotonicMs: this.#clock.monotonicMs(),
      controller: new AbortController(),
    };
    this.#running.set(running.id, running);
    return running;
  }

  end(operation: RunningOperation): void {
    this.#running.delete(operation.id);
    if (operation.collection === undefined) return;
    const namespace = `${operation.database}.${operation.collection}`;
    const use = this.#uses.get(namespace) ?? this.#newUse(namespace);
    if (use === undefined) return;
    use.counts[operation.kind] += 1;
    use.timesMicros[operation.kind] += this.microsOf(operation);
  }

  /** How long it has been running. */
  microsOf({ startedMonotonicMs }: RunningOperation): number {
    return Math.round((this.#clock.monotonicMs() - startedMonotonicMs) * 1000);
  }

  running(): readonly RunningOperation[] {
    return [...this.#running.values()];
  }

  find(id: number): RunningOperation | undefined {
    return this.#running.get(id);
  }

  uses(): ReadonlyMap<string, NamespaceUse> {
    return this.#uses;
  }

  #newUse(namespace: string): NamespaceUse | undefined {
    if (this.#uses.size >= namespacesMax) return undefined;
    const none = (): Record<OperationKind, number> => ({
      insert: 0,
      query: 0,
      update: 0,
      delete: 0,
      getmore: 0,
      command: 0,
    });
    const use = { counts: none(), timesMicros: none() };
    this.#uses.set(namespace, use);
    return use;
  }
}

/** Stops an operation; it answers 11601 Interrupted. */
export function interrupt(operation: RunningOperation): void {
  operation.controller.abort(new EngineError(11_601, "Interrupted", "operation was interrupted"));
}
