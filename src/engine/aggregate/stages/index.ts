import { EngineError, notSupported } from "../../engine-error.ts";
import type { StageDefinition } from "../stage.ts";
import { $addFields } from "./addFields.ts";
import { $bucket } from "./bucket.ts";
import { $bucketAuto } from "./bucketAuto.ts";
import { $collStats } from "./collStats.ts";
import { $count } from "./count.ts";
import { $densify } from "./densify.ts";
import { $documents } from "./documents.ts";
import { $facet } from "./facet.ts";
import { $fill } from "./fill.ts";
import { $graphLookup } from "./graphLookup.ts";
import { $group } from "./group.ts";
import { $indexStats } from "./indexStats.ts";
import { $limit } from "./limit.ts";
import { $lookup } from "./lookup.ts";
import { $match } from "./match.ts";
import { $merge } from "./merge.ts";
import { $out } from "./out.ts";
import { $project } from "./project.ts";
import { $redact } from "./redact.ts";
import { $replaceRoot, $replaceWith } from "./replaceRoot.ts";
import { $sample } from "./sample.ts";
import { $setWindowFields } from "./setWindowFields.ts";
import { $skip } from "./skip.ts";
import { $sort } from "./sort.ts";
import { $sortByCount } from "./sortByCount.ts";
import { $unionWith } from "./unionWith.ts";
import { $unset } from "./unset.ts";
import { $unwind } from "./unwind.ts";

/** Every stage, by name. */
export const stages: ReadonlyMap<string, StageDefinition> = new Map(
  Object.entries({
    $addFields: { compile: $addFields },
    $bucket: { compile: $bucket },
    $bucketAuto: { compile: $bucketAuto },
    $collStats: { compile: $collStats, position: "first", notWithin: ["$facet"] },
    $count: { compile: $count },
    $densify: { compile: $densify },
    $documents: { compile: $documents, position: "first", onDatabase: true, notWithin: ["$facet"] },
    $facet: { compile: $facet, notWithin: ["$facet"] },
    $fill: { compile: $fill },
    $graphLookup: { compile: $graphLookup },
    $group: { compile: $group },
    $indexStats: { compile: $indexStats, position: "first", notWithin: ["$facet"] },
    $limit: { compile: $limit },
    $lookup: { compile: $lookup },
    $match: { compile: $match },
    $merge: { compile: $merge, position: "last", notWithin: ["$facet", "$lookup", "$unionWith", "$graphLookup"] },
    $out: { compile: $out, position: "last", notWithin: ["$facet", "$lookup", "$unionWith", "$graphLookup"] },
    $project: { compile: $project },
    $redact: { compile: $redact },
    $replaceRoot: { compile: $replaceRoot },
    $replaceWith: { compile: $replaceWith },
    $sample: { compile: $sample },
    $set: { compile: $addFields },
    $setWindowFields: { compile: $setWindowFields },
    $skip: { compile: $skip },
    $sort: { compile: $sort },
    $sortByCount: { compile: $sortByCount },
    $unionWith: { compile: $unionWith },
    $unset: { compile: $unset },
    $unwind: { compile: $unwind },
    $listSearchIndexes: { compile: refuseSearch },
    $changeStream: { compile: refuseStream, position: "first", notWithin: ["$facet", "$lookup", "$unionWith"] },
    $changeStreamSplitLargeEvent: { compile: refuseSplitting, notWithin: ["$facet", "$lookup", "$unionWith"] },
    ...refused(
      "$geoNear",
      "$listSampledQueries",
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

/** As a MongoDB without the vendor's search refuses it. */
function refuseSearch(): never {
  throw new EngineError(
    31_082,
    "SearchNotEnabled",
    "$listSearchIndexes needs Atlas Search, which this server has not; connect to Atlas to use it",
  );
}

/** Pipelines that begin with it are opened as streams, and come here only to be explained. */
function refuseStream(): never {
  throw notSupported("a change stream that is explained");
}

/** Streams take it off their pipelines. */
function refuseSplitting(): never {
  throw new EngineError(
    20,
    "IllegalOperation",
    "$changeStreamSplitLargeEvent can only be used in a $changeStream pipeline",
  );
}

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
