import type { DeploymentHost } from "../../ports/deployment-host.ts";
import type { DeploymentSources } from "../../ports/deployment-sources.ts";
import type { Metadata } from "../../ports/metadata/metadata.ts";
import type { Sealer } from "../../ports/sealer.ts";
import type { SnapshotSource } from "../../ports/snapshot-source.ts";
import { deploymentDetached } from "./external-errors.ts";
import { unsealConnectionString } from "./sealed-connection-string.ts";

export interface DeploymentSourcesDependencies {
  readonly metadata: Pick<Metadata, "externalSources">;
  readonly host: Pick<DeploymentHost, "systemConnectionString">;
  readonly sealer: Sealer;
  /** Reads the databases hosted here. */
  readonly hosted: SnapshotSource;
  /** Reads what runs elsewhere, within the hosts that may be reached; what has to be put somewhere meanwhile goes under the deployment's id. */
  readonly external: (deploymentId: string) => SnapshotSource;
}

export function createDeploymentSources(dependencies: DeploymentSourcesDependencies): DeploymentSources {
  const { metadata, host, sealer, hosted, external } = dependencies;
  return {
    async of({ id, kind, name }) {
      if (kind === "serverless") return { source: hosted, connectionString: await host.systemConnectionString(id) };
      const sealed = (await metadata.externalSources.find(id))?.sealedConnectionString;
      if (sealed === undefined) throw deploymentDetached(name);
      return { source: external(id), connectionString: unsealConnectionString(sealer, id, sealed) };
    },
  };
}
