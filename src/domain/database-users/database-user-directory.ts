import type { Clock } from "../../ports/clock.ts";
import type { DatabaseUserDirectory, DirectoryEntry } from "../../ports/database-user-directory.ts";
import type { DatabaseUserRecord } from "../../ports/metadata/database-user-records.ts";
import type { Metadata } from "../../ports/metadata/metadata.ts";

export interface DatabaseUserDirectoryDependencies {
  readonly metadata: Pick<Metadata, "deployments" | "databaseUsers">;
  readonly clock: Clock;
}

/** Looks in the metadata at every login, so that a change counts at once. */
export function createDatabaseUserDirectory(dependencies: DatabaseUserDirectoryDependencies): DatabaseUserDirectory {
  const { metadata, clock } = dependencies;
  return {
    findCredential: async (deploymentId, authenticationDatabase, username) => {
      const deployment = await metadata.deployments.find(deploymentId);
      if (deployment === undefined) return undefined;
      const user = await metadata.databaseUsers.find(deployment.projectId, authenticationDatabase, username);
      if (user === undefined || isExpired(user, clock.nowMs()) || !coversDeployment(user, deployment.name)) {
        return undefined;
      }
      return { username: user.username, credential: user.credential, roles: user.roles };
    },
    list: async (deploymentId) => {
      const deployment = await metadata.deployments.find(deploymentId);
      if (deployment === undefined) return [];
      const nowMs = clock.nowMs();
      const entries: DirectoryEntry[] = [];
      for (let pageNumber = 1; ; pageNumber += 1) {
        const page = { pageNumber, itemsPerPage: 500, includeCount: false };
        const { items, hasNext } = await metadata.databaseUsers.page(deployment.projectId, page);
        for (const user of items)
          if (!isExpired(user, nowMs) && coversDeployment(user, deployment.name))
            entries.push({ username: user.username, authenticationDatabase: user.databaseName, roles: user.roles });
        if (!hasNext) return entries;
      }
    },
  };
}

export function isExpired(user: DatabaseUserRecord, nowMs: number): boolean {
  return user.deleteAfterMs !== undefined && user.deleteAfterMs <= nowMs;
}

/** No scope at all means every deployment of the project. */
function coversDeployment(user: DatabaseUserRecord, deploymentName: string): boolean {
  if (user.scopes.length === 0) return true;
  return user.scopes.some((scope) => scope.type === "CLUSTER" && scope.name === deploymentName);
}
