import type { DeploymentRecord } from "../../ports/metadata/deployment-records.ts";
import type { MetadataRecords } from "../../ports/metadata/metadata.ts";
import { deploymentNotFound } from "./errors.ts";

/** A deployment of any kind. Throws `DEPLOYMENT_NOT_FOUND`. */
export async function requireDeployment(
  records: Pick<MetadataRecords, "deployments">,
  projectId: string,
  name: string,
): Promise<DeploymentRecord> {
  const deployment = await records.deployments.findByName(projectId, name);
  if (deployment === undefined) throw deploymentNotFound(name, projectId);
  return deployment;
}
