import { notSupported } from "../../engine-error.ts";
import type { StageDefinition } from "../stage.ts";
import { $addFields } from "./addFields.ts";
import { $count } from "./count.ts";
import { $group } from "./group.ts";
import { $limit } from "./limit.ts";
import { $match } from "./match.ts";
import { $project } from "./project.ts";
import { $replaceRoot, $replaceWith } from "./replaceRoot.ts";
import { $skip } from "./skip.ts";
import { $sort } from "./sort.ts";
import { $unset } from "./unset.ts";
import { $unwind } from "./unwind.ts";

/** Every stage, by name. */
export const stages: ReadonlyMap<string, StageDefinition> = new Map(
  Object.entries({
    $addFields: { compile: $addFields },
    $count: { compile: $count },
    $group: { compile: $group },
    $limit: { compile: $limit },
    $match: { compile: $match },
    $project: { compile: $project },
    $replaceRoot: { compile: $replaceRoot },
    $replaceWith: { compile: $replaceWith },
    $set: { compile: $addFields },
    $skip: { compile: $skip },
    $sort: { compile: $sort },
    $unset: { compile: $unset },
    $unwind: { compile: $unwind },
    ...refused(
      "$changeStream",
      "$changeStreamSplitLargeEvent",
      "$geoNear",
      "$listSampledQueries",
      "$listSearchIndexes",
      "$listSessions",
      "$planCacheStats",
      "$queryStats",
      "$search",
      "$searchMeta",
      "$shardedDataDistribution",
      "$vectorSearch",
    ),
  } satisfies Record<string, StageDefinition>),
);

/** MongoDB's own that are not served. */
function refused(...names: readonly string[]): Record<string, StageDefinition> {
  return Object.fromEntries(
    names.map((name) => [
      name,
      {
        compile: () => {
          throw notSupported(`the stage ${name}`);
        },
      },
    ]),
  );
}
