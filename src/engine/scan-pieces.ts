import { setImmediate as nextTurn } from "node:timers/promises";
import type { Namespace } from "./engine.ts";
import { storedBatches } from "./planner/access.ts";
import { everythingById } from "./planner/plan.ts";
import type { ReadState } from "./snapshot-registry.ts";

const pieceBytes = 1_048_576;

/** Every document in `_id` order, whole documents concatenated, about 1 MiB at a time. Throws the signal's reason when it aborts. */
export async function* scanPieces(
  state: ReadState,
  namespace: Namespace,
  signal: AbortSignal,
): AsyncIterable<Uint8Array> {
  const record = state.catalog.find(namespace);
  if (record === undefined) return;
  let parts: Uint8Array[] = [];
  let size = 0;
  for (const batch of storedBatches(state.connection, record, everythingById)) {
    for (const { bytes } of batch) {
      parts.push(bytes);
      size += bytes.length;
      if (size < pieceBytes) continue;
      yield Buffer.concat(parts);
      parts = [];
      size = 0;
    }
    await nextTurn();
    signal.throwIfAborted();
  }
  if (size > 0) yield Buffer.concat(parts);
}
