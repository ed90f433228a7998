import type { PageRequest } from "../shared/page.ts";
import { invalidQueryParameter } from "./request-errors.ts";

/** Items a page may have. */
export const itemsPerPageMax = 500;
const itemsPerPageDefault = 100;
/** Keeps offsets exact: a page beyond this many items is refused, not computed wrongly. */
const pageNumberMax = 1_000_000_000;

export type QueryValues = Readonly<Record<string, string | readonly string[] | undefined>>;

/** The page asked for by `pageNum`, `itemsPerPage` and `includeCount`. Throws `INVALID_QUERY_PARAMETER`. */
export function readPage(query: QueryValues): PageRequest {
  return {
    pageNumber: readInteger(query, "pageNum", 1, pageNumberMax, 1),
    itemsPerPage: readInteger(query, "itemsPerPage", 1, itemsPerPageMax, itemsPerPageDefault),
    includeCount: readFlag(query, "includeCount", true),
  };
}

/** `true` or `false`. Throws `INVALID_QUERY_PARAMETER` for anything else, also for one given twice. */
export function readFlag(query: QueryValues, name: string, fallback: boolean): boolean {
  const value = query[name];
  if (value === undefined) return fallback;
  if (value === "true") return true;
  if (value === "false") return false;
  throw invalidQueryParameter(name);
}

function readInteger(query: QueryValues, name: string, least: number, most: number, fallback: number): number {
  const value = query[name];
  if (value === undefined) return fallback;
  const number = typeof value === "string" && /^\d{1,10}$/.test(value) ? Number(value) : Number.NaN;
  if (!(number >= least && number <= most)) throw invalidQueryParameter(name);
  return number;
}

export interface LinkToPage {
  readonly href: string;
  readonly rel: "self" | "previous" | "next";
}

/**
 * Links of a list. The vendor moves the paging parameters to the end, in one order for `self` and in the other for the rest; clients that compare
 * recorded answers see the difference. Other parameters keep their order and escapes.
 */
export function pageLinks(baseUrl: string, requestTarget: string, page: PageRequest, hasNext: boolean): LinkToPage[] {
  const [path = "", query = ""] = splitOnce(requestTarget, "?");
  const others =
    query === ""
      ? ""
      : query
          .split("&")
          .filter((part) => part !== "" && !isPagingParameter(part))
          .map((part) => `${part}&`)
          .join("");
  const prefix = `${baseUrl}${path}?${others}`;
  const links: LinkToPage[] = [
    { href: `${prefix}pageNum=${page.pageNumber}&itemsPerPage=${page.itemsPerPage}`, rel: "self" },
  ];
  const other = (pageNumber: number): string => `${prefix}itemsPerPage=${page.itemsPerPage}&pageNum=${pageNumber}`;
  if (page.pageNumber > 1) links.push({ href: other(page.pageNumber - 1), rel: "previous" });
  if (hasNext) links.push({ href: other(page.pageNumber + 1), rel: "next" });
  return links;
}

function isPagingParameter(part: string): boolean {
  return (
    part.startsWith("pageNum=") || part.startsWith("itemsPerPage=") || part === "pageNum" || part === "itemsPerPage"
  );
}

function splitOnce(text: string, separator: string): [string, string] {
  const position = text.indexOf(separator);
  return position === -1 ? [text, ""] : [text.slice(0, position), text.slice(position + 1)];
}
