import { EngineError, failedToParse } from "../engine-error.ts";
import { buildDocument } from "../bson/builder.ts";
import { fieldsOf, getField } from "../bson/walk.ts";

/** Turns the stages of an update into a function of a document; given by the aggregation. */
export type CompilePipeline = (stages: readonly Uint8Array[]) => (document: Uint8Array) => Uint8Array;

const allowedStages: ReadonlySet<string> = new Set([
  "$addFields",
  "$set",
  "$project",
  "$unset",
  "$replaceRoot",
  "$replaceWith",
]);

/** Compiles an update given as a pipeline (manual, "Updates with Aggregation Pipeline"); `_id` stays although a stage drops it. Throws 72 for other stages. */
export function compilePipelineUpdate(
  stages: readonly Uint8Array[],
  compile: CompilePipeline,
): (document: Uint8Array) => Uint8Array {
  for (const stage of stages) {
    const [field, more] = [...fieldsOf(stage)];
    if (field === undefined || more !== undefined)
      throw failedToParse("A pipeline stage specification object must contain exactly one field.");
    if (!allowedStages.has(field.name))
      throw new EngineError(72, "InvalidOptions", `${field.name} is not allowed to be used within an update`);
  }
  const run = compile(stages);
  return (document) => {
    const result = run(document);
    const id = getField(result, "_id") ?? getField(document, "_id");
    if (id === undefined) return result;
    const rest = [...fieldsOf(result)].filter(({ name }) => name !== "_id");
    return buildDocument([["_id", id], ...rest.map(({ name, value }) => [name, value] as const)]);
  };
}
