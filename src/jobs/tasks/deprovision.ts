import type { DeploymentTransitions } from "../../domain/deployments/deployment-transitions.ts";
import type { DeploymentHost } from "../../ports/deployment-host.ts";
import { defineTask, type Task } from "../define-task.ts";
import { type GarbageCollectionRequest, requestGarbageCollection } from "../request-garbage-collection.ts";

export interface DeprovisionParts extends GarbageCollectionRequest {
  readonly transitions: DeploymentTransitions;
  readonly host: DeploymentHost;
}

/** Removes a deployment: its data, then its records with those of its snapshots; what it had in the store is garbage then. */
export function deprovision(parts: DeprovisionParts): Task {
  return defineTask({
    kind: "deprovision",
    // Somebody asked for the data to be gone: it is tried until it is.
    attemptsMax: Number.POSITIVE_INFINITY,
    async run(job) {
      const deployment = await parts.transitions.begin(job);
      if (deployment === undefined) return;
      await parts.host.remove(deployment.id);
      if (await parts.transitions.removed(job)) await requestGarbageCollection(parts);
    },
    giveUp: async () => undefined,
  });
}
