import { EngineError } from "../engine-error.ts";
import { paused, Work } from "../steps.ts";
import type { SpillFile } from "../storage/query-space.ts";
import type { Pace } from "../storage/turns.ts";

/** Documents one after the other; `undefined` is no document but a good moment to give way to others. */
export type Flow = Generator<Uint8Array | undefined, void, undefined>;

/** Bytes that a blocking step (sort, group) may hold. */
export const blockingStepMaxBytes = 100 * 1024 * 1024;

/** No documents. */
export function* nothing(): Flow {}

export function* filtered(flow: Flow, matches: (document: Uint8Array) => boolean): Flow {
  const work = new Work(matches);
  for (const document of flow) {
    if (document === undefined) {
      yield undefined;
      continue;
    }
    let fits = work.run(document);
    for (; fits === paused; fits = work.run(document)) yield undefined;
    if (fits) yield document;
  }
}

export function* mapped(flow: Flow, change: (document: Uint8Array) => Uint8Array): Flow {
  const work = new Work(change);
  for (const document of flow) {
    if (document === undefined) {
      yield undefined;
      continue;
    }
    let result = work.run(document);
    for (; result === paused; result = work.run(document)) yield undefined;
    yield result;
  }
}

export function* skipped(flow: Flow, count: number): Flow {
  let left = count;
  for (const document of flow) {
    if (document !== undefined && left > 0) left -= 1;
    else yield document;
  }
}

export function* limited(flow: Flow, count: number): Flow {
  if (count === 0) return;
  let left = count;
  for (const document of flow) {
    yield document;
    if (document === undefined) continue;
    left -= 1;
    if (left === 0) return;
  }
}

/** What a blocking step may use. */
export interface Room {
  /** Bytes it may hold. */
  readonly memoryMaxBytes: number;
  /** A file for what does not fit; without one nothing may be laid on the disk (`allowDiskUse: false`). */
  readonly openFile?: (() => SpillFile) | undefined;
}

/** Memory alone. */
export const memoryOnly: Room = { memoryMaxBytes: blockingStepMaxBytes };

/** The room as a query may use it. */
export function roomFor(room: Room, allowDiskUse: boolean = true): Room {
  return allowDiskUse ? room : { memoryMaxBytes: room.memoryMaxBytes };
}

/**
 * Bytes that a step holds before it lays them on the disk: half of what it may, since as much again is on its way there, read back, or not yet given back to the system.
 * What may not be laid on the disk may be held in full.
 */
export function heldMaxBytes({ memoryMaxBytes, openFile }: Room): number {
  return openFile === undefined ? memoryMaxBytes : memoryMaxBytes / 2;
}

/** Of a step that could go on with the disk, which the query does not allow. */
export function memoryLimit(step: string, { memoryMaxBytes }: Room): EngineError {
  return new EngineError(
    292,
    "QueryExceededMemoryLimitNoDiskUseAllowed",
    `${step} exceeded memory limit of ${memoryMaxBytes} bytes, but did not opt in to external sorting. Pass allowDiskUse:true to opt in.`,
  );
}

/** Of a step that needs memory for what it holds. */
export function cannotSpill(step: string, memoryMaxBytes: number = blockingStepMaxBytes): EngineError {
  return new EngineError(
    146,
    "ExceededMemoryLimit",
    `${step} used too much memory and cannot spill to disk. Memory limit: ${memoryMaxBytes} bytes`,
  );
}

/** Takes documents until the limits are reached; at least one when there is any. `exhausted` once there are no more. */
export async function takeFrom(
  flow: Flow,
  limits: { readonly maxDocuments: number; readonly maxBytes: number },
  pending: Uint8Array | undefined,
  pace: Pace,
): Promise<{
  readonly documents: Uint8Array[];
  readonly pending: Uint8Array | undefined;
  readonly exhausted: boolean;
}> {
  const documents: Uint8Array[] = [];
  let bytes = 0;
  let next: Uint8Array | undefined = pending;
  for (;;) {
    if (next === undefined) {
      const step = flow.next();
      if (step.done === true) return { documents, pending: undefined, exhausted: true };
      next = step.value;
      if (next === undefined) {
        if (pace.due) await pace.rest();
        continue;
      }
    }
    // One too many is kept for the next call: replies have a size they must not pass.
    if (documents.length > 0 && (documents.length >= limits.maxDocuments || bytes + next.length > limits.maxBytes)) {
      return { documents, pending: next, exhausted: false };
    }
    documents.push(next);
    bytes += next.length;
    next = undefined;
    if (pace.due) await pace.rest();
  }
}
