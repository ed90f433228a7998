/**
 * What `work` makes of each item, in the order of the items, for up to `count` of them at once; they are begun in their order. After a failure no more are begun, those under way see
 * `stop` aborted, and once they have ended the first failure is thrown.
 */
export async function atOnce<Item, Result>(
  items: readonly Item[],
  count: number,
  work: (item: Item, stop: AbortSignal) => Promise<Result>,
): Promise<Result[]> {
  const stopping = new AbortController();
  const results: Result[] = [];
  let next = 0;
  const takeTurns = async (): Promise<void> => {
    while (next < items.length && !stopping.signal.aborted) {
      const place = next;
      next += 1;
      try {
        results[place] = await work(items[place] as Item, stopping.signal);
      } catch (error) {
        // Only the first reason counts.
        stopping.abort(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(count, items.length) }, takeTurns));
  stopping.signal.throwIfAborted();
  return results;
}
