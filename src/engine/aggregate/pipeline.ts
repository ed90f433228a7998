import { EngineError, located } from "../engine-error.ts";
import { bsonType } from "../bson/types.ts";
import { emptyDocument } from "../bson/builder.ts";
import { type Field, fieldsOf } from "../bson/walk.ts";
import type { Namespace } from "../engine.ts";
import { compileFilter } from "../query/filter.ts";
import { filtered, type Flow, nothing } from "../query/flow.ts";
import { parseSort } from "../query/sort.ts";
import { compilerIn } from "./compiler.ts";
import type { PipelineSurroundings, Stage, StageDefinition } from "./stage.ts";
import { stages } from "./stages/index.ts";

/** Compiles a pipeline over the documents it will be given. Throws 40323, 40324 and what its stages throw. */
export function compilePipeline(pipeline: readonly Uint8Array[], surroundings: PipelineSurroundings): Stage {
  const compiled = compileStages(pipeline.map(stageField), surroundings);
  return (flow) => compiled.reduce((before, stage) => stage(before), flow);
}

/**
 * Compiles a pipeline over a collection or a view, or, with no namespace, over what its first stage gives. Its first `$match` and `$sort` use indexes. Each call of
 * the result reads anew; only one may be read at a time.
 */
export function compileRead(
  namespace: Namespace | undefined,
  pipeline: readonly Uint8Array[],
  surroundings: PipelineSurroundings,
): () => Flow {
  const { source } = surroundings;
  const resolved = namespace === undefined ? undefined : source?.resolve(namespace);
  const fields = [...(resolved?.pipeline ?? []), ...pipeline].map(stageField);
  const compiled = compileStages(fields, surroundings);
  const record = resolved?.record;
  if (record === undefined || source === undefined)
    return () => compiled.reduce((flow, stage) => stage(flow), nothing());
  const [first] = fields;
  const filter = compileFilter(first?.name === "$match" ? first.value.bytes() : emptyDocument, {
    compileExpression: compilerIn(surroundings.expressions),
    collation: surroundings.expressions.collation,
  });
  const matched = first?.name === "$match" ? 1 : 0;
  const second = fields[matched];
  const sort = second?.name === "$sort" && second.value.type === bsonType.object ? parseSort(second.value.bytes()) : [];
  // Keys are in the order of bytes, which a collation changes.
  const wanted = surroundings.expressions.collation === undefined ? sort : [];
  const opensByItself = stages.get(first?.name ?? "")?.position === "first";
  return () => {
    if (opensByItself) return compiled.reduce((flow, stage) => stage(flow), nothing());
    const { flow, sorted } = source.read(record, filter, wanted, surroundings.hint);
    const found = filter.matchesAll ? flow : filtered(flow, (document) => filter.matches(document));
    const done = matched + (wanted.length > 0 && sorted ? 1 : 0);
    return compiled.slice(done).reduce((before, stage) => stage(before), found);
  };
}

/** The one field of a stage. Throws 40323 for what has none or more. */
export function stageField(bytes: Uint8Array): Field {
  const [field, more] = [...fieldsOf(bytes)];
  if (field === undefined || more !== undefined)
    throw located(40_323, "A pipeline stage specification object must contain exactly one field.");
  return field;
}

function compileStages(fields: readonly Field[], surroundings: PipelineSurroundings): Stage[] {
  return fields.map(({ name, value }, position) => {
    const definition = stages.get(name) ?? givenByCaller(name, surroundings);
    if (definition === undefined) throw located(40_324, `Unrecognized pipeline stage name: '${name}'`);
    refusePlace(name, definition, position, fields.length, surroundings);
    return definition.compile(value, {
      ...surroundings,
      name,
      following: fields.slice(position + 1),
      compile: compilePipeline,
      compileRead,
    });
  });
}

/** A stage on a database whose documents the caller of the engine has. */
function givenByCaller(name: string, { databaseStages, namespace }: PipelineSurroundings): StageDefinition | undefined {
  const documentsOf = databaseStages?.get(name);
  if (documentsOf === undefined || namespace.collection !== "") return undefined;
  return {
    position: "first",
    onDatabase: true,
    compile: (argument) =>
      function* given(): Flow {
        yield* documentsOf(argument);
      },
  };
}

function refusePlace(
  name: string,
  { position: wanted, onDatabase, notWithin }: StageDefinition,
  position: number,
  count: number,
  { within, namespace, source }: PipelineSurroundings,
): void {
  const around = within.find((outer) => notWithin?.includes(outer) === true);
  if (around !== undefined) throw located(40_600, `${name} is not allowed to be used within a ${around} stage`);
  if (wanted === "first" && position > 0)
    throw located(40_602, `${name} is only valid as the first stage in a pipeline`);
  if (wanted === "last" && position < count - 1)
    throw located(40_601, `${name} can only be the final stage in the pipeline`);
  if (onDatabase === true && namespace.collection !== "" && within.length === 0)
    throw new EngineError(73, "InvalidNamespace", `'${name}' can only be run with {aggregate: 1}`);
  if (
    position === 0 &&
    namespace.collection === "" &&
    onDatabase !== true &&
    within.length === 0 &&
    source !== undefined
  )
    throw new EngineError(
      73,
      "InvalidNamespace",
      `{aggregate: 1} is not valid for '${name}'; a collection is required.`,
    );
}
