import { EngineError } from "./engine-error.ts";
import { aggregateFlow, type AggregateSurroundings } from "./aggregate-command.ts";
import { refuseCycle, viewOf } from "./catalog/views.ts";
import type { Namespace } from "./engine.ts";
import { pipelineTarget } from "./pipeline-writes.ts";

/** Throws what is wrong with a view, in what it stands on or in its pipeline; nothing for the options of a collection. */
export function checkView(surroundings: AggregateSurroundings, namespace: Namespace, options: Uint8Array): void {
  const view = viewOf(options);
  if (view === undefined) return;
  refuseCycle(surroundings.state.catalog, namespace, options);
  const target = pipelineTarget(view.pipeline, namespace.database);
  if (target !== undefined)
    throw new EngineError(
      167,
      "OptionNotSupportedOnView",
      `The aggregation stage ${target.stage} cannot be used in the pipeline of a view`,
    );
  // Compiled, not run: a flow that nobody reads does nothing.
  aggregateFlow(surroundings, { database: namespace.database, collection: view.viewOn }, { pipeline: view.pipeline });
}
