import { setImmediate as nextTurn } from "node:timers/promises";
import { BlobError, type BlobStore } from "../../src/ports/blob-store.ts";

/** What goes wrong, at the operation with this number from now on. */
export interface Fault {
  readonly kind: (typeof faultKinds)[number];
  readonly at: number;
}

export const faultKinds = [
  "fails before",
  "fails after",
  "dies before",
  "dies after",
  "is full",
  "stores nothing",
  "stores half",
  "stores other bytes",
  "answers other bytes",
  "forgets a deletion",
  "breaks off a listing",
] as const;

/** The process that used the store is gone: nothing it does later may have any effect. */
export class Died extends Error {}

export interface FaultingBlobStore {
  readonly blobs: BlobStore;
  readonly dead: () => boolean;
  /** Whether the fault came about. */
  readonly met: () => boolean;
}

/** A store over `good` that stalls at random, and goes wrong as told. */
export function createFaultingBlobStore(
  good: BlobStore,
  fault: Fault | undefined,
  random: () => number,
): FaultingBlobStore {
  let operations = 0;
  let dead = false;
  let met = false;

  const operation = async <Result>(
    does: "reads" | "writes" | "deletes",
    work: () => Promise<Result>,
    lie?: (kind: Fault["kind"]) => Promise<Result> | undefined,
  ): Promise<Result> => {
    if (random() < 0.1) for (let turns = 0; turns < random() * 20; turns += 1) await nextTurn();
    if (dead) throw new Died("the process is dead");
    const number = operations;
    operations += 1;
    const kind = fault?.kind;
    if (kind === "is full" && number >= (fault?.at ?? 0) && does === "writes") {
      met = true;
      throw new BlobError("blob_store_full", "the disk is full");
    }
    if (number !== fault?.at || kind === undefined) return work();
    met = true;
    if (kind === "dies before" || kind === "dies after") {
      if (kind === "dies after") await work();
      dead = true;
      throw new Died("the process died");
    }
    if (kind === "fails before") throw new BlobError("blob_store_failed", "the wire was cut");
    const lied = lie?.(kind);
    if (lied !== undefined) return lied;
    const result = await work();
    if (kind === "fails after") throw new BlobError("blob_store_failed", "the wire was cut before the answer");
    if (kind === "answers other bytes" && result instanceof Uint8Array && result.length > 0) {
      const at = Math.floor(random() * result.length);
      result[at] = (result[at] as number) ^ (1 << Math.floor(random() * 8));
    }
    return result;
  };

  return {
    dead: () => dead,
    met: () => met,
    blobs: {
      put: (key, parts) =>
        operation(
          "writes",
          () => good.put(key, parts),
          (kind) => {
            const bytes = Buffer.concat(parts);
            if (kind === "stores nothing") return Promise.resolve();
            if (kind === "stores half") return good.put(key, [bytes.subarray(0, bytes.length >> 1)]);
            if (kind !== "stores other bytes" || bytes.length === 0) return undefined;
            const at = Math.floor(random() * bytes.length);
            bytes[at] = (bytes[at] as number) ^ (1 << Math.floor(random() * 8));
            return good.put(key, [bytes]);
          },
        ),
      get: (key) => operation("reads", () => good.get(key)),
      getRange: (key, offset, lengthBytes) => operation("reads", () => good.getRange(key, offset, lengthBytes)),
      stat: (key) => operation("reads", () => good.stat(key)),
      async *list(prefix) {
        const breaksOff = await operation(
          "reads",
          async () => false,
          (kind) => (kind === "breaks off a listing" ? Promise.resolve(true) : undefined),
        );
        let count = 0;
        for await (const entry of good.list(prefix)) {
          if (dead) throw new Died("the process is dead");
          yield entry;
          count += 1;
          if (breaksOff && count > 1) break;
        }
        if (breaksOff) throw new BlobError("blob_store_failed", "the listing broke off");
      },
      delete: (key) =>
        operation(
          "deletes",
          () => good.delete(key),
          (kind) => (kind === "forgets a deletion" ? Promise.resolve() : undefined),
        ),
    },
  };
}
