import type { DeploymentRecord } from "../../ports/metadata/deployment-records.ts";
import type { MetadataRecords } from "../../ports/metadata/metadata.ts";
import { serverlessInstanceNotFound } from "./errors.ts";

/** Throws `SERVERLESS_INSTANCE_NOT_FOUND`. */
export async function requireInstance(
  records: Pick<MetadataRecords, "deployments">,
  projectId: string,
  name: string,
): Promise<DeploymentRecord> {
  const deployment = await records.deployments.findByName(projectId, name);
  if (deployment === undefined) throw serverlessInstanceNotFound(name, projectId);
  return deployment;
}
