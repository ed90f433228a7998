import type { Db, Document } from "mongodb";

/** Collection of one document with large arrays. */
export const hugeName = "huge";

const length = 500_000;

/** Commands whose time goes into one document. */
export const nastyCommands: readonly (readonly [string, Document])[] = [
  expression("$map in $map", {
    $map: { input: tenth(), in: { $size: { $filter: { input: "$list", cond: "$$this" } } } },
  }),
  expression("$reduce that concatenates", {
    $reduce: { input: "$list", initialValue: "", in: { $concat: ["$$value", "0123456789"] } },
  }),
  expression("$reduce that concatenates arrays", {
    $reduce: { input: "$list", initialValue: [], in: { $concatArrays: ["$$value", ["$$this"]] } },
  }),
  expression("$sortArray of 5,000,000", { $sortArray: { input: { $range: ["$_id", 5_000_000] }, sortBy: -1 } }),
  expression("$setUnion in $map", { $map: { input: tenth(), in: { $setUnion: ["$list", ["$$this"]] } } }),
  expression("$zip in $map", { $map: { input: tenth(), in: { $size: { $zip: { inputs: ["$list", "$list"] } } } } }),
  expression("a path into documents, in $map", { $map: { input: tenth(), in: { $sum: "$documents.n" } } }),
  aggregate("$unwind of 500,000", { $project: { list: 1 } }, { $unwind: "$list" }, { $match: { list: -1 } }, again()),
  aggregate(
    "$group of what is unwound",
    { $project: { list: 1 } },
    { $unwind: "$list" },
    { $group: { _id: "$list" } },
    again(),
  ),
  aggregate(
    "$lookup in a loop",
    { $unwind: "$few" },
    {
      $lookup: {
        from: hugeName,
        pipeline: [{ $match: { list: -1 } }, { $limit: 1 }],
        let: { n: "$few" },
        as: "joined",
      },
    },
  ),
  aggregate(
    "$graphLookup",
    {
      $graphLookup: {
        from: hugeName,
        startWith: "$list",
        connectFromField: "list",
        connectToField: "documents.n",
        as: "reached",
      },
    },
    { $project: { list: 1 } },
    again(),
  ),
  [
    "$or of 100,000 conditions",
    { find: hugeName, filter: { $or: Array.from({ length: 100_000 }, (_, n) => ({ [`a${n % 9}`]: n })) } },
  ],
  [
    "$in of 1,000,000",
    { find: hugeName, filter: { list: { $in: Array.from({ length: 1_000_000 }, (_, n) => -1 - n) } } },
  ],
  [
    "$all of 2,000",
    { find: hugeName, filter: { list: { $all: Array.from({ length: 2000 }, (_, n) => length - 1 - n) } } },
  ],
  [
    "$elemMatch with 5,000 patterns",
    {
      find: hugeName,
      filter: {
        documents: { $elemMatch: { text: { $in: Array.from({ length: 5000 }, (_, n) => new RegExp(`z${n}`)) } } },
      },
    },
  ],
  [
    "values under let",
    {
      find: hugeName,
      let: { n: { $sum: { $map: { input: { $range: [0, 6_000_000] }, in: { $add: ["$$this", 1] } } } } },
    },
  ],
  [
    "count of elements",
    { count: hugeName, query: { $and: Array.from({ length: 50 }, () => ({ "documents.n": { $not: { $eq: -1 } } })) } },
  ],
  update("$push with $sort", { $push: { list: { $each: [1], $sort: -1 } } }),
  update("$pull", {
    $pull: { documents: { text: { $in: Array.from({ length: 300 }, (_, n) => new RegExp(`z${n}`)) } } },
  }),
  update("arrayFilters", { $set: { "documents.$[one].n": 0 } }, { arrayFilters: [{ "one.n": { $gte: 0 } }] }),
  update("an update by a pipeline", [{ $set: { list: { $map: { input: tenth(), in: { $size: "$list" } } } } }]),
  ["keys of 90,000 elements", { insert: "keyed", documents: [{ list: Array.from({ length: 90_000 }, (_, n) => n) }] }],
  ["index of 5 times 90,000 elements", { createIndexes: "unkeyed", indexes: [{ key: { list: 1 }, name: "list_1" }] }],
];

export async function fillNasty(database: Db): Promise<void> {
  const list = Array.from({ length }, (_, n) => n);
  const documents = Array.from({ length: 100_000 }, (_, n) => ({ n, text: `text ${n}` }));
  await database
    .collection<Document & { _id: number }>(hugeName)
    .insertOne({ _id: 1, list, documents, few: list.slice(0, 1000) });
  await database.collection("keyed").createIndex({ list: 1 });
  const keyed = Array.from({ length: 5 }, (_, n) => ({
    list: Array.from({ length: 90_000 }, (_one, m) => n * 90_000 + m),
  }));
  for (const document of keyed) await database.collection("unkeyed").insertOne(document);
}

function tenth(): Document {
  return { $slice: ["$list", length / 10] };
}

/** More of the same, so that none is done too soon. */
function again(): Document {
  return {
    $unionWith: {
      coll: hugeName,
      pipeline: [{ $project: { list: 1 } }, { $unwind: "$list" }, { $match: { list: -1 } }],
    },
  };
}

function aggregate(name: string, ...pipeline: readonly Document[]): readonly [string, Document] {
  return [name, { aggregate: hugeName, pipeline, cursor: {} }];
}

function expression(name: string, value: Document): readonly [string, Document] {
  return aggregate(name, { $project: { n: { $size: { $ifNull: [value, []] } } } });
}

function update(name: string, change: Document, rest: Document = {}): readonly [string, Document] {
  return [name, { update: hugeName, updates: [{ q: {}, u: change, ...rest }] }];
}
