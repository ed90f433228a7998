import { notSupported } from "../../engine-error.ts";
import { $all } from "./all.ts";
import { $bitsAllClear, $bitsAllSet, $bitsAnyClear, $bitsAnySet } from "./bits.ts";
import { $gt, $gte, $lt, $lte } from "./comparison.ts";
import { $elemMatch } from "./elemMatch.ts";
import { $eq } from "./eq.ts";
import { $exists } from "./exists.ts";
import { $in, $nin } from "./in.ts";
import { $mod } from "./mod.ts";
import { $ne } from "./ne.ts";
import { $not } from "./not.ts";
import type { QueryOperator } from "./operator.ts";
import { $options, $regex } from "./regex.ts";
import { $size } from "./size.ts";
import { $type } from "./type.ts";

/** Every operator that stands on a path, by name. */
export const queryOperators: ReadonlyMap<string, QueryOperator> = new Map(
  Object.entries({
    $all,
    $bitsAllClear,
    $bitsAllSet,
    $bitsAnyClear,
    $bitsAnySet,
    $comment: () => () => true,
    $elemMatch,
    $eq,
    $exists,
    $geoIntersects: refused("$geoIntersects"),
    $geoWithin: refused("$geoWithin"),
    $gt,
    $gte,
    $in,
    $lt,
    $lte,
    $mod,
    $ne,
    $near: refused("$near"),
    $nearSphere: refused("$nearSphere"),
    $nin,
    $not,
    $options,
    $regex,
    $size,
    $type,
    $within: refused("$within"),
  } satisfies Record<string, QueryOperator>),
);

function refused(name: string): QueryOperator {
  return () => {
    throw notSupported(name);
  };
}
