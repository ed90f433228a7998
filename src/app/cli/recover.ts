import { mkdir, readdir, rename } from "node:fs/promises";
import { join } from "node:path";
import { createAesSealer } from "../../adapters/sealer-aes/sealer-aes.ts";
import { recoverMetadata } from "../../jobs/recover-metadata.ts";
import { prepareDataDirectory } from "../data-directory.ts";
import { credentialsPath, prepareOwner } from "../first-start.ts";
import { exitCodes } from "../exit-codes.ts";
import { type CliCommand, engineFolder } from "./command.ts";

const hourMs = 3_600_000;

export const recover: CliCommand = {
  name: "recover",
  parameters: "",
  description:
    "Rebuilds a lost metadata database from the store: organizations, projects, instances and every completed snapshot. With an empty database it also makes a new API key and service account. The server must be stopped.",
  flags: {},
  async run({ configuration, clock, ids, output, openAll }) {
    prepareDataDirectory(configuration.dataDirectory);
    const { metadata, store } = await openAll();
    const wasEmpty = !(await metadata.organizations.any());
    const aside: string[] = [];
    const recovered = await recoverMetadata({
      metadata,
      repository: store,
      nextSnapshotAtMs: clock.nowMs() + hourMs,
      generationOf: (deploymentId) => trueGeneration(join(engineFolder(configuration), deploymentId), aside),
    });
    const organizationId = recovered.organizationIds[0];
    const projectId = recovered.projectIds[0];
    let credentials: string | undefined;
    if (wasEmpty && organizationId !== undefined && projectId !== undefined) {
      await prepareOwner({
        metadata,
        dataDirectory: configuration.dataDirectory,
        baseUrl: `http://${configuration.host}:${configuration.port}`,
        organizationId,
        projectId,
        clock,
        ids,
        sealer: createAesSealer(store.sealingKey, ids),
      });
      credentials = credentialsPath(configuration.dataDirectory);
    }
    output.result({ ...recovered, credentials: credentials ?? null, dataFilesPutAside: aside }, () => [
      `brought back: ${recovered.organizationIds.length} organizations, ${recovered.projectIds.length} projects, ${recovered.deploymentIds.length} instances, ${recovered.snapshotIds.length} snapshots (${recovered.knownCount} were known)`,
      ...(credentials === undefined
        ? []
        : [`a new API key and service account are in ${credentials}; database users must be made again`]),
      ...aside.map((path) => `put aside, since it is not known to be the true one: ${path}`),
      ...recovered.damagedKeys.map((key) => `damaged record, its snapshot may be missing: ${key}`),
    ]);
    return recovered.damagedKeys.length > 0 ? exitCodes.damaged : exitCodes.ok;
  },
};

/** The lowest data file that is there: a restore that did not come to its end has left a higher one, which a start would take for garbage and is put aside here. */
async function trueGeneration(folder: string, aside: string[]): Promise<number | undefined> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const generations = (await readdir(folder))
    .map((name) => Number(/^(\d+)\.sqlite$/.exec(name)?.[1] ?? Number.NaN))
    .filter((generation) => !Number.isNaN(generation))
    .toSorted((one, other) => one - other);
  for (const generation of generations.slice(1)) {
    const path = join(folder, `${generation}.sqlite`);
    await rename(path, `${path}.aside`);
    aside.push(`${path}.aside`);
  }
  return generations[0];
}
