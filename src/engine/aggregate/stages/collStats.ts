import { EngineError, located, notSupported } from "../../engine-error.ts";
import { buildDocument, objectValue } from "../../bson/builder.ts";
import { bsonType } from "../../bson/types.ts";
import { idIndexName } from "../../catalog/clustered-index.ts";
import { toNumber } from "../../bson/numbers.ts";
import { boolValue, dateValue, int32Value, figureValue, stringValue, type Value } from "../../bson/value.ts";
import { fieldsOf, fieldsOfValue } from "../../bson/walk.ts";
import type { CollectionRecord } from "../../catalog/catalog.ts";
import type { Flow } from "../../query/flow.ts";
import { objectOf, sourceOf, type StageFactory } from "../stage.ts";

/** Bytes that an index is counted with: one page of the data file, which each has at least. */
const indexPageBytes = 4096;

export const $collStats: StageFactory = (argument, place) => {
  const source = sourceOf(place);
  const { namespace } = place;
  let wantsCount = false;
  let scale: number | undefined;
  for (const { name, value } of fieldsOf(objectOf(argument, "$collStats", 5_447_000))) {
    if (name === "latencyStats" || name === "queryExecStats") throw notSupported(`${name} of $collStats`);
    if (name === "count") wantsCount = true;
    else if (name === "storageStats") scale = scaleOf(value);
    else throw new EngineError(40_415, "Location40415", `BSON field '$collStats.${name}' is an unknown field.`);
  }
  return function* collStats(): Flow {
    const { record } = source.resolve(namespace);
    const name = `${namespace.database}.${namespace.collection}`;
    if (record === undefined && (wantsCount || scale !== undefined))
      throw new EngineError(
        26,
        "NamespaceNotFound",
        `Unable to retrieve storageStats in $collStats stage :: caused by :: Collection [${name}] not found.`,
      );
    const fields: [string, Value][] = [
      ["ns", stringValue(name)],
      ["localTime", dateValue(BigInt(Math.floor(source.nowMs)))],
    ];
    if (record !== undefined && scale !== undefined) fields.push(["storageStats", storageStats(record, scale)]);
    if (record !== undefined && wantsCount) fields.push(["count", figureValue(record.documentCount)]);
    yield buildDocument(fields);
  };
};

function scaleOf(value: Value): number {
  if (value.type !== bsonType.object) throw located(5_447_001, "storageStats argument must be an object");
  for (const field of fieldsOfValue(value))
    if (field.name === "scale") return Math.max(1, Math.trunc(toNumber(field.value)));
  return 1;
}

function storageStats(record: CollectionRecord, scale: number): Value {
  const scaled = (bytes: number): Value => figureValue(Math.floor(bytes / scale));
  const indexes = [idIndexName(record), ...record.indexes.map(({ name }) => name)];
  const { documentCount, dataSizeBytes } = record;
  return objectValue([
    ["size", scaled(dataSizeBytes)],
    ["count", figureValue(documentCount)],
    ...(documentCount > 0 ? [["avgObjSize", figureValue(Math.floor(dataSizeBytes / documentCount))] as const] : []),
    ["storageSize", scaled(dataSizeBytes)],
    ["capped", boolValue(false)],
    ["nindexes", int32Value(indexes.length)],
    ["totalIndexSize", scaled(indexPageBytes * indexes.length)],
    ["totalSize", scaled(dataSizeBytes + indexPageBytes * indexes.length)],
    ["indexSizes", objectValue(indexes.map((name) => [name, scaled(indexPageBytes)] as const))],
    ["scaleFactor", int32Value(scale)],
  ]);
}
