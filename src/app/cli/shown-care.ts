import type { CataloguedSnapshot } from "../../ports/snapshot-repository.ts";

/** What the API answers of a snapshot, as far as it is of use here. */
export interface ShownCare {
  readonly id: string;
  readonly hold?: { readonly heldAt: string; readonly heldBy: string; readonly reason: string };
  readonly restorability: {
    readonly failureReason?: string;
    readonly lastProvenAt?: string;
    readonly lastTriedAt?: string;
    readonly underWay?: boolean;
  };
}

/** Where the API has it. */
export function carePath({ project, deployment, snapshot }: CataloguedSnapshot): string {
  return `/api/telamon/v1/groups/${project.id}/deployments/${encodeURIComponent(deployment.name)}/snapshots/${snapshot.id}`;
}
