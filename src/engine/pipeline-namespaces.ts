import { elementsOf, fieldsOf, fieldsOfValue } from "./bson/walk.ts";
import { bsonType } from "./bson/types.ts";
import { textOf, type Value } from "./bson/value.ts";
import { stageField } from "./aggregate/pipeline.ts";
import type { Namespace } from "./engine.ts";
import { pipelineTarget } from "./pipeline-writes.ts";

/** A namespace besides its own that a pipeline reads or writes, for whoever decides on rights. */
export interface PipelineNamespace {
  readonly namespace: Namespace;
  readonly writes: boolean;
}

/** Every namespace that the stages of a pipeline name, those within stages too. Throws what `$out` and `$merge` throw for targets that are none. */
export function pipelineNamespaces(database: string, pipeline: readonly Uint8Array[]): readonly PipelineNamespace[] {
  const target = pipelineTarget(pipeline, database);
  return [
    ...pipeline.flatMap((stage) => readBy(database, stage)),
    ...(target === undefined ? [] : [{ namespace: target.namespace, writes: true }]),
  ];
}

function readBy(database: string, stage: Uint8Array): PipelineNamespace[] {
  const { name, value } = stageField(stage);
  if (name === "$facet" && value.type === bsonType.object)
    return [...fieldsOfValue(value)].flatMap((facet) => within(database, facet.value));
  if (name === "$unionWith" && value.type === bsonType.string) return [read(database, value)];
  if (!["$graphLookup", "$lookup", "$unionWith"].includes(name) || value.type !== bsonType.object) return [];
  return [...fieldsOf(value.source, value.start)].flatMap((field) => {
    if (field.name === "pipeline") return within(database, field.value);
    const named = field.name === (name === "$unionWith" ? "coll" : "from");
    return named && field.value.type === bsonType.string ? [read(database, field.value)] : [];
  });
}

function within(database: string, pipeline: Value): readonly PipelineNamespace[] {
  if (pipeline.type !== bsonType.array) return [];
  const stages = elementsOf(pipeline).filter(({ type }) => type === bsonType.object);
  return stages.flatMap((stage) => readBy(database, stage.bytes()));
}

function read(database: string, collection: Value): PipelineNamespace {
  return { namespace: { database, collection: textOf(collection) }, writes: false };
}
