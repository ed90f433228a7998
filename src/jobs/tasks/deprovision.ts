import type { DeploymentTransitions } from "../../domain/deployments/deployment-transitions.ts";
import type { Clock } from "../../ports/clock.ts";
import type { DeploymentHost } from "../../ports/deployment-host.ts";
import type { Ids } from "../../ports/ids.ts";
import type { Metadata } from "../../ports/metadata/metadata.ts";
import { defineTask, type Task } from "../define-task.ts";
import { requestGarbageCollection } from "../scheduler.ts";

/** Removes a deployment: its data, then its records with those of its snapshots; what it had in the store is garbage then. */
export function deprovision(parts: { readonly transitions: DeploymentTransitions; readonly host: DeploymentHost; readonly metadata: Metadata; readonly clock: Clock; readonly ids: Ids }): Task {
  return defineTask({
    kind: "deprovision",
    attemptsMax: Number.POSITIVE_INFINITY,
    async run(job) {
      const deployment = await parts.transitions.begin(job);
      if (deployment === undefined) return;
      await parts.host.remove(deployment.id);
      if (await parts.transitions.removed(job)) await requestGarbageCollection(parts.metadata, parts.clock, parts.ids);
    },
    giveUp: async () => undefined,
  });
}
