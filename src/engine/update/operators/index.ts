import { $addToSet } from "./addToSet.ts";
import { $bit } from "./bit.ts";
import { $currentDate } from "./currentDate.ts";
import { $inc } from "./inc.ts";
import { $max } from "./max.ts";
import { $min } from "./min.ts";
import { $mul } from "./mul.ts";
import type { UpdateOperator } from "./operator.ts";
import { $pop } from "./pop.ts";
import { $pull } from "./pull.ts";
import { $pullAll } from "./pullAll.ts";
import { $push } from "./push.ts";
import { $set } from "./set.ts";
import { $unset } from "./unset.ts";

/** Every operator that changes a value where it stands, by name; `$rename` moves values and is a step of its own. */
export const updateOperators: ReadonlyMap<string, UpdateOperator> = new Map(
  Object.entries({
    $addToSet,
    $bit,
    $currentDate,
    $inc,
    $max,
    $min,
    $mul,
    $pop,
    $pull,
    $pullAll,
    $push,
    $set,
    $setOnInsert: $set,
    $unset,
  }),
);

/** Operators that leave a missing place missing, and do not make the way to it. */
export const operatorsThatNeverCreate: ReadonlySet<string> = new Set(["$pop", "$pull", "$pullAll", "$unset"]);
