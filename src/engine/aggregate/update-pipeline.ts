import { located } from "../engine-error.ts";
import type { Flow } from "../query/flow.ts";
import type { CompilePipeline } from "../update/pipeline.ts";
import { compileStages, type Variables } from "./stages.ts";

/** Pipelines for updates: the stages of an aggregation, run over one document. */
export function pipelineCompiler(variables: Variables): CompilePipeline {
  return (stages) => {
    const compiled = compileStages(stages, variables);
    return (document) => {
      for (const result of compiled.reduce<Flow>((flow, stage) => stage(flow), only(document)))
        if (result !== undefined) return result;
      throw located(5_074_500, "the pipeline of an update gave no document");
    };
  };
}

function* only(document: Uint8Array): Flow {
  yield document;
}
