import type { DeploymentHost } from "../ports/deployment-host.ts";
import type { Log } from "../ports/log.ts";
import type { Metadata } from "../ports/metadata/metadata.ts";

/**
 * What a start does before work begins, where no other process can hold anything: leases of the process before are freed, so that its jobs are taken up at once, and
 * every database is served again, by the generation that the metadata says is true.
 */
export async function recover({ metadata, host, log }: { readonly metadata: Metadata; readonly host: DeploymentHost; readonly log: Log }): Promise<void> {
  const freed = await metadata.jobs.releaseAll();
  if (freed > 0) log.info({ count: freed }, "jobs of the process before are taken up again");
  for (const { port, ...deployment } of await metadata.deployments.all()) {
    // One that is still being made has its job.
    if (deployment.state === "CREATING") continue;
    try {
      const address = await host.start({ ...deployment, ...(port === undefined ? {} : { port }) });
      if (address.port !== port) {
        await metadata.deployments.update(deployment.id, { port: address.port });
        if (port !== undefined) log.warn({ deploymentId: deployment.id, before: port, now: address.port }, "a database's former port is taken; its connection string has changed");
      }
    } catch (error) {
      log.error({ err: error, deploymentId: deployment.id }, "a database could not be started");
    }
  }
}
