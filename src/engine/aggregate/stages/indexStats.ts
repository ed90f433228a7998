import { located } from "../../engine-error.ts";
import { buildDocument, objectValue } from "../../bson/builder.ts";
import { bsonType } from "../../bson/types.ts";
import { dateValue, documentValue, int64Value, stringValue } from "../../bson/value.ts";
import { fieldCount, getField } from "../../bson/walk.ts";
import { idIndexName, idIndexOf } from "../../catalog/clustered-index.ts";
import { indexUse } from "../../planner/index-uses.ts";
import type { Flow } from "../../query/flow.ts";
import { sourceOf, type StageFactory } from "../stage.ts";

/** One document for each index: how often documents were found through it since the data file was opened. */
export const $indexStats: StageFactory = (argument, place) => {
  const source = sourceOf(place);
  if (argument.type !== bsonType.object || fieldCount(argument) > 0)
    throw located(28_803, "The $indexStats stage specification must be an empty object");
  return function* indexStats(): Flow {
    const { record } = source.resolve(place.namespace);
    if (record === undefined) return;
    const indexes = [
      { name: idIndexName(record), bytes: idIndexOf(record), uses: indexUse(record.uuid) },
      ...record.indexes.map(({ name, bytes }) => ({ name, bytes, uses: indexUse(bytes) })),
    ];
    for (const { name, bytes, uses } of indexes)
      yield buildDocument([
        ["name", stringValue(name)],
        ["key", getField(bytes, "key") ?? documentValue(bytes)],
        [
          "accesses",
          objectValue([
            ["ops", int64Value(BigInt(uses))],
            ["since", dateValue(BigInt(Math.floor(source.openedMs)))],
          ]),
        ],
        ["spec", documentValue(bytes)],
      ]);
  };
};
