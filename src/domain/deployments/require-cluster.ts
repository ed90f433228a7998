import { backupConfigNotFound } from "../backups/policy-errors.ts";
import { clusterNotFound, serverlessInstanceInClusterApi } from "./errors.ts";
import type { RequireDeployment } from "./require-instance.ts";

/**
 * What Atlas's operations of a cluster's backup schedule find by a name: a deployment that runs elsewhere, whose schedule is that of a cluster. Throws `CLUSTER_NOT_FOUND`,
 * `CANNOT_USE_SERVERLESS_INSTANCE_IN_CLUSTER_API`, and `BACKUP_CONFIG_NOT_FOUND` for one that is detached.
 */
export const requireBackedUpCluster: RequireDeployment = async (records, projectId, name) => {
  const deployment = await records.deployments.findByName(projectId, name);
  if (deployment === undefined) throw clusterNotFound(name, projectId);
  if (deployment.kind === "serverless") throw serverlessInstanceInClusterApi(name);
  if (deployment.state === "DETACHED") throw backupConfigNotFound(deployment.id, projectId);
  return deployment;
};
