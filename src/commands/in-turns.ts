import { setImmediate as nextTurn } from "node:timers/promises";

/** So many are done before others have their turn: some milliseconds. */
const stretchLength = 2000;

/** What is made of each of many, at most 100,000, statements of a command; gives way to others and throws the signal's reason when it is to stop. */
export async function mapInTurns<One, Result>(
  list: readonly One[],
  signal: AbortSignal,
  change: (one: One, index: number) => Result,
): Promise<readonly Result[]> {
  const results: Result[] = [];
  for (const [index, one] of list.entries()) {
    if (index > 0 && index % stretchLength === 0) {
      await nextTurn();
      signal.throwIfAborted();
    }
    results.push(change(one, index));
  }
  return results;
}
