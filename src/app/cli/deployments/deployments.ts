import { ConfigurationError } from "../../configuration.ts";
import { exitCodes } from "../../exit-codes.ts";
import { connectToApi } from "../api-client.ts";
import type { CliCommand } from "../command.ts";
import { sizeText, table } from "../output.ts";
import { readConnectionString } from "./connection-string-input.ts";
import type { Call } from "./call.ts";
import { restore } from "./restore.ts";
import { deploymentLines, type ShownDeployment, type ShownSnapshot } from "./shown-deployment.ts";
import { snapshot } from "./snapshot.ts";

/** By name: how many names follow, and what is done. */
const actions: ReadonlyMap<string, { readonly names: number; readonly run: (call: Call) => Promise<number> }> = new Map(
  [
    ["list", { names: 0, run: list }],
    ["attach", { names: 1, run: attach }],
    ["show", { names: 1, run: (call: Call) => showOne(call, "GET", "") }],
    ["probe", { names: 1, run: (call: Call) => showOne(call, "POST", "/probe") }],
    ["replace", { names: 1, run: replace }],
    ["detach", { names: 1, run: detach }],
    ["snapshots", { names: 1, run: listSnapshots }],
    ["snapshot", { names: 1, run: snapshot }],
    ["restore", { names: 2, run: restore }],
  ],
);

export const deployments: CliCommand = {
  name: "deployments",
  parameters:
    "list | attach NAME | show NAME | probe NAME | replace NAME | detach NAME [--delete-snapshots] | snapshots NAME | snapshot NAME [--retention-days N] [--wait] | restore NAME SNAPSHOT-ID --to INSTANCE | --to-external NAME [--replace-existing] [--to-project ID] [--wait]",
  description:
    "Deployments that run elsewhere, through the running server; restore takes the names of instances too, on both sides. attach and replace take the connection string from --connection-string-file FILE, --connection-string-env NAME or standard input, never from the command line; --policy NAME chooses when snapshots are taken. The server is found by credentials.json in the data folder, or TELAMON_API_URL, TELAMON_PROJECT_ID, TELAMON_CLIENT_ID and TELAMON_CLIENT_SECRET.",
  flags: {
    "connection-string-file": true,
    "connection-string-env": true,
    policy: true,
    "delete-snapshots": false,
    "retention-days": true,
    description: true,
    to: true,
    "to-external": true,
    "to-project": true,
    "replace-existing": false,
    wait: false,
  },
  async run({ words: [action = "", ...names], flags, configuration, output }) {
    const found = actions.get(action);
    if (found === undefined || names.length !== found.names)
      throw new ConfigurationError([
        `deployments takes ${[...actions.keys()].join(", ")} and their names (see --help)`,
      ]);
    const api = await connectToApi(configuration.dataDirectory, process.env);
    const base = `/api/telamon/v1/groups/${api.projectId}/externalDeployments`;
    const path = `${base}/${encodeURIComponent(names[0] ?? "")}`;
    return found.run({ api, base, path, names, flags, output });
  },
};

async function list({ api, base, output }: Call): Promise<number> {
  const found: ShownDeployment[] = [];
  for (let pageNumber = 1; ; pageNumber += 1) {
    const { results } = await api.call<{ readonly results: readonly ShownDeployment[] }>(
      "GET",
      `${base}?itemsPerPage=500&pageNum=${pageNumber}`,
    );
    found.push(...results);
    if (results.length < 500) break;
  }
  output.result({ deployments: found }, () => deploymentLines(found));
  return exitCodes.ok;
}

async function attach(call: Call): Promise<number> {
  const { api, base, names, flags, output } = call;
  const connectionString = await readConnectionString(flags, process.env);
  const attached = await api.call<ShownDeployment>("POST", base, { name: names[0], connectionString, ...policy(call) });
  output.result(attached, () => deploymentLines([attached]));
  return exitCodes.ok;
}

async function replace(call: Call): Promise<number> {
  const { api, path, flags, output } = call;
  const connectionString = await readConnectionString(flags, process.env);
  const replaced = await api.call<ShownDeployment>("PATCH", path, { connectionString, ...policy(call) });
  output.result(replaced, () => deploymentLines([replaced]));
  return exitCodes.ok;
}

function policy({ flags }: Call): { readonly backupPolicy?: string } {
  const name = flags.get("policy");
  return name === undefined ? {} : { backupPolicy: name };
}

/** A probe that did not succeed is a failure for scripts. */
async function showOne({ api, path, output }: Call, method: string, rest: string): Promise<number> {
  const deployment = await api.call<ShownDeployment>(method, path + rest);
  output.result(deployment, () => deploymentLines([deployment]));
  return method === "POST" && deployment.probe?.succeeded === false ? exitCodes.failed : exitCodes.ok;
}

async function detach({ api, path, names, flags, output }: Call): Promise<number> {
  const deleteSnapshots = flags.has("delete-snapshots");
  await api.call("DELETE", `${path}?deleteSnapshots=${deleteSnapshots}`);
  output.result({ name: names[0], detached: true, deleteSnapshots }, () => [
    deleteSnapshots
      ? `${names[0]} is detached and its snapshots are being deleted`
      : `${names[0]} is detached; its snapshots stay until they expire`,
  ]);
  return exitCodes.ok;
}

async function listSnapshots({ api, path, output }: Call): Promise<number> {
  const found: ShownSnapshot[] = [];
  for (let pageNumber = 1; ; pageNumber += 1) {
    const { results } = await api.call<{ readonly results: readonly ShownSnapshot[] }>(
      "GET",
      `${path}/snapshots?itemsPerPage=500&pageNum=${pageNumber}`,
    );
    found.push(...results);
    if (results.length < 500) break;
  }
  output.result({ snapshots: found }, () =>
    table(
      ["ID", "STATUS", "CAPTURED", "EXPIRES", "TYPE", "CONSISTENCY", "SIZE"],
      found.map((one) => [
        one.id,
        one.status,
        one.createdAt ?? "-",
        one.expiresAt,
        one.frequencyType,
        one.consistency ?? "-",
        sizeText(one.storageSizeBytes),
      ]),
    ),
  );
  return exitCodes.ok;
}
