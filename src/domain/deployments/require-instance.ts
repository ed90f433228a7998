import type { DeploymentRecord } from "../../ports/metadata/deployment-records.ts";
import type { MetadataRecords } from "../../ports/metadata/metadata.ts";
import { serverlessInstanceNotFound } from "./errors.ts";

/** Finds a deployment of one kind by its name, or throws that kind's error of not being there. */
export type RequireDeployment = (
  records: Pick<MetadataRecords, "deployments">,
  projectId: string,
  name: string,
) => Promise<DeploymentRecord>;

/** Throws `SERVERLESS_INSTANCE_NOT_FOUND`, also for a name that an external deployment has. */
export async function requireInstance(
  records: Pick<MetadataRecords, "deployments">,
  projectId: string,
  name: string,
): Promise<DeploymentRecord> {
  const deployment = await records.deployments.findByName(projectId, name);
  if (deployment?.kind !== "serverless") throw serverlessInstanceNotFound(name, projectId);
  return deployment;
}
