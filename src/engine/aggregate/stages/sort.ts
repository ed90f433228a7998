import { located } from "../../engine-error.ts";
import type { Field } from "../../bson/walk.ts";
import { sorted } from "../../query/sorted.ts";
import { createSortOrder, parseSort } from "../../query/sort.ts";
import { objectOf, roomOf, type StageFactory, wholeOf } from "../stage.ts";

export const $sort: StageFactory = (argument, place) => {
  const { name, following, expressions } = place;
  const fields = parseSort(objectOf(argument, name, 15_973));
  if (fields.length === 0) throw located(15_976, "$sort stage must have at least one sort key");
  const limit = limitBehind(following);
  return (flow) => sorted(flow, createSortOrder(fields, expressions.collation), limit, roomOf(place));
};

/** How many of the sorted documents the stages behind can ask for. */
function limitBehind(following: readonly Field[]): number | undefined {
  let skipped = 0;
  for (const { name, value } of following) {
    const count = wholeOf(value);
    if (count === undefined || count < 0) return undefined;
    if (name === "$limit") return count + skipped;
    if (name !== "$skip") return undefined;
    skipped += count;
  }
  return undefined;
}
