/** One page of a list, as every list of the API is asked for. */
export interface PageRequest {
  /** From 1. */
  readonly pageNumber: number;
  /** 1 to 500. */
  readonly itemsPerPage: number;
  /** False spares the count; `totalCount` is 0 then. */
  readonly includeCount: boolean;
}

export interface Page<Item> {
  readonly items: readonly Item[];
  /** How many there are in all pages together; 0 when the request did not ask for it. */
  readonly totalCount: number;
  /** Whether a page follows this one (known without the count: one more row is read than asked for). */
  readonly hasNext: boolean;
}

/** Rows to pass over before the page begins. */
export function pageOffset(page: PageRequest): number {
  return (page.pageNumber - 1) * page.itemsPerPage;
}
