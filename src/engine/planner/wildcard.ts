import { bsonType, typeOrder } from "../bson/types.ts";
import { arePoints, type Bounds, type Conditions, type Interval, rangesMax } from "../query/bounds.ts";
import { isBelow, pathKey } from "../storage/wildcard-keys.ts";
import { boundsOfPath, type KeyRange, rangeOf, type Texts } from "./key-ranges.ts";

/** How a wildcard index is searched: one path, and what its values are held to. */
export interface WildcardBounds {
  readonly path: string;
  readonly bounds: Bounds;
  readonly ranges: readonly KeyRange[];
}

/**
 * The narrowest of the conditions that a wildcard index below `root` can be searched by; undefined when there is none. It has no keys for what is missing or a document,
 * nor by the positions in arrays that numbers in a path may be.
 */
export function boundsThroughWildcard(root: string, conditions: Conditions, texts: Texts): WildcardBounds | undefined {
  let best: WildcardBounds | undefined;
  for (const path of conditions.byPath.keys()) {
    if (!isBelow(root, path) || path.split(".").some((step) => /^\d+$/.test(step))) continue;
    // Each condition may be met by another element of an array.
    const bounds = boundsOfPath(conditions, path, true, texts);
    if (bounds === undefined || bounds.intervals.length > rangesMax || !bounds.intervals.every(isOfValues)) continue;
    if (best !== undefined && (arePoints(best.bounds) || !arePoints(bounds))) continue;
    const prefix = pathKey(path);
    const ranges = bounds.intervals.map((interval) => {
      const { from, to } = rangeOf(interval);
      return { from: Buffer.concat([prefix, from]), to: Buffer.concat([prefix, to]) };
    });
    best = { path, bounds, ranges };
  }
  return best;
}

/** Whether all between two ends is neither null nor missing nor a document. */
function isOfValues({ from, to }: Interval): boolean {
  const [first, last, documents] = [from.bytes[0] as number, to.bytes[0] as number, typeOrder(bsonType.object)];
  return first > typeOrder(bsonType.null) && (last < documents || first > documents);
}
