import type { DeploymentRecord } from "../../ports/metadata/deployment-records.ts";
import type { ExternalSourceRecord } from "../../ports/metadata/external-source-records.ts";
import type { MetadataRecords } from "../../ports/metadata/metadata.ts";
import { externalDeploymentNotFound } from "./external-errors.ts";

/** An external deployment and how it is reached. */
export interface ExternalDeployment {
  readonly deployment: DeploymentRecord;
  readonly source: ExternalSourceRecord;
}

/** Throws `EXTERNAL_DEPLOYMENT_NOT_FOUND`, also for a name that an instance has. */
export async function requireExternalDeployment(
  records: Pick<MetadataRecords, "deployments">,
  projectId: string,
  name: string,
): Promise<DeploymentRecord> {
  const deployment = await records.deployments.findByName(projectId, name);
  if (deployment?.kind !== "external") throw externalDeploymentNotFound(name, projectId);
  return deployment;
}

export async function withSource(
  records: Pick<MetadataRecords, "externalSources">,
  deployment: DeploymentRecord,
): Promise<ExternalDeployment> {
  const source = await records.externalSources.find(deployment.id);
  if (source === undefined) throw new Error("An external deployment has no record of how it is reached.");
  return { deployment, source };
}
