import { badValue } from "../engine-error.ts";
import { mappedList } from "../bson/arrays.ts";
import { buildDocument } from "../bson/builder.ts";
import type { Filter } from "../query/filter.ts";
import type { ArrayFilters } from "./array-filters.ts";
import { elementsAt, type MutableDocument, type Node, nodeAt, toValue } from "./mutable.ts";
import { identifierOf, isPositional } from "./paths.ts";

/** What positional segments are resolved with. */
export interface PlaceContext {
  readonly document: Uint8Array;
  /** The filter that chose the document; it knows the position for `$`. */
  readonly filter: Filter;
  readonly arrayFilters: ArrayFilters;
  readonly root: MutableDocument;
}

/** Exact places of a path that may have `$`, `$[]` and `$[identifier]` in it. Throws 2 BadValue when there is no position, or no array. */
export function placesOf(context: PlaceContext, segments: readonly string[]): readonly (readonly string[])[] {
  return segments.some(isPositional) ? expanded(context, context.root, [], segments) : [segments];
}

/** `node` is what stands at `before`; undefined when nothing does. */
function expanded(
  context: PlaceContext,
  node: Node | undefined,
  before: readonly string[],
  after: readonly string[],
): (readonly string[])[] {
  const at = after.findIndex(isPositional);
  if (at === -1) return [[...before, ...after]];
  const path = [...before, ...after.slice(0, at)];
  const rest = after.slice(at + 1);
  const segment = after[at] as string;
  const here = node === undefined ? undefined : nodeAt(node, after.slice(0, at));
  const elements = elementsAt(here);
  if (segment === "$") {
    const position = context.filter.positionOf(context.document);
    if (position === undefined) throw badValue("The positional operator did not find the match needed from the query.");
    // MongoDB would make a field named like the position; that is never meant.
    if (elements === undefined && here !== undefined)
      throw badValue(`Cannot apply the positional operator to '${path.join(".")}', which is no array.`);
    return expanded(context, elements?.[position], [...path, String(position)], rest);
  }
  if (elements === undefined)
    throw badValue(`The path '${path.join(".")}' must exist in the document in order to apply array updates.`);
  const identifier = identifierOf(segment);
  const filter = identifier === undefined ? undefined : context.arrayFilters.get(identifier);
  return mappedList(elements, (element, index) =>
    identifier === undefined || filter?.matches(buildDocument([[identifier, toValue(element)]])) === true
      ? expanded(context, element, [...path, String(index)], rest)
      : [],
  ).flat();
}
