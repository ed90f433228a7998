import type { Page, PageRequest } from "../../shared/page.ts";

/** A page out of one row more than was asked for, which tells whether another page follows. */
export function pageOf<Row, Item>(
  rows: readonly Row[],
  page: PageRequest,
  totalCount: number,
  toItem: (row: Row) => Item,
): Page<Item> {
  const hasNext = rows.length > page.itemsPerPage;
  const items = (hasNext ? rows.slice(0, page.itemsPerPage) : rows).map(toItem);
  return { items, totalCount: page.includeCount ? totalCount : 0, hasNext };
}
