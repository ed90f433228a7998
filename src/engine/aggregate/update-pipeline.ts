import { located } from "../engine-error.ts";
import type { Collation } from "../query/collation.ts";
import type { Flow } from "../query/flow.ts";
import type { CompilePipeline } from "../update/pipeline.ts";
import { contextOf, type Variables } from "./context.ts";
import { compilePipeline } from "./pipeline.ts";

/** Pipelines for updates: the stages of an aggregation, run over one document. */
export function pipelineCompiler(variables: Variables, collation?: Collation): CompilePipeline {
  return (stages) => {
    const run = compilePipeline(stages, {
      expressions: contextOf(variables, collation),
      source: undefined,
      namespace: { database: "", collection: "" },
      within: [],
    });
    return (document) => {
      for (const result of run(only(document))) if (result !== undefined) return result;
      throw located(5_074_500, "the pipeline of an update gave no document");
    };
  };
}

function* only(document: Uint8Array): Flow {
  yield document;
}
