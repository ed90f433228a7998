/**
 * What `work` makes of each item, in the order of the items. While one result is used, `work` is under way for up to `count` items behind it, and no more: that bounds memory, and
 * whoever takes the results slowly slows down whoever gives the items.
 */
export async function* ahead<Item, Result>(
  items: AsyncIterable<Item> | Iterable<Item>,
  count: number,
  work: (item: Item) => Promise<Result>,
): AsyncGenerator<Result> {
  const iterator = Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]();
  const begun: Promise<Result>[] = [];
  let ended = false;
  try {
    for (;;) {
      while (!ended && begun.length <= count) {
        const next = await iterator.next();
        if (next.done === true) ended = true;
        else begun.push(quiet(work(next.value)));
      }
      const first = begun.shift();
      if (first === undefined) return;
      yield await first;
    }
  } finally {
    await Promise.allSettled(begun);
    if (!ended) await iterator.return?.();
  }
}

/** Whoever awaits the promise sees its failure; until then it must not count as unhandled. */
function quiet<Result>(promise: Promise<Result>): Promise<Result> {
  promise.catch(() => undefined);
  return promise;
}
