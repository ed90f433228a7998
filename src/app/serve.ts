import { flushCompileCache } from "node:module";
import { compose, type Composition } from "./compose.ts";
import type { Configuration } from "./configuration.ts";
import { prepareDataDirectory } from "./data-directory.ts";
import {
  type Credentials,
  credentialsPath,
  prepareFirstStart,
  readCredentials,
  writeCredentials,
} from "./first-start.ts";
import { createLog } from "./log.ts";

/** Time that what is in hand gets at SIGTERM; with closing it stays below 10 s. */
const shutdownGraceMs = 7000;

/** Wait before what was compiled is written down and memory given back: the first requests come first. */
const tidyDelayMs = 2000;

/** Runs the server until SIGTERM or SIGINT. Throws with a message for people when it cannot start. */
export async function serve(configuration: Configuration): Promise<void> {
  const log = createLog(configuration.logLevel);
  prepareDataDirectory(configuration.dataDirectory);
  const composition = await compose(configuration, log);
  let baseUrl: string;
  try {
    baseUrl = await composition.http.listen(configuration.host, configuration.port);
    const first = await prepareFirstStart({ ...composition, dataDirectory: configuration.dataDirectory, baseUrl });
    stopOnSignal(composition, log);
    await composition.start();
    const credentials = await currentCredentials(configuration, composition, first, baseUrl);
    printWelcome(configuration, credentials, first !== undefined || configuration.demo);
  } catch (error) {
    await composition.stop(0);
    throw error;
  }
  process.stdout.write(`telamon ready ${baseUrl}\n`);
  setTimeout(() => {
    // A process that is killed would leave the next start as slow as the first.
    flushCompileCache();
    // What starting left behind would lie there for as long as nobody comes (flag --expose-gc, which `npm start` gives).
    globalThis.gc?.({ type: "major", execution: "sync", flavor: "last-resort" });
  }, tidyDelayMs).unref();
}

/** What `credentials.json` says now: the address may have changed since it was written, and `--demo` adds to it. */
async function currentCredentials(
  configuration: Configuration,
  composition: Composition,
  first: Credentials | undefined,
  baseUrl: string,
): Promise<Credentials | undefined> {
  const known = first ?? readCredentials(configuration.dataDirectory);
  if (known === undefined) {
    if (configuration.demo)
      throw new Error(
        `--demo needs ${credentialsPath(configuration.dataDirectory)}, which is gone; start it in an empty data folder`,
      );
    return undefined;
  }
  const { services, hosting, clock, ids } = composition;
  const demo = configuration.demo
    ? await (
        await import("./demo.ts")
      ).prepareDemo({
        services,
        projectId: known.groupId,
        connectionString: async (name) => {
          const instance = await services.serverlessInstances.get(known.groupId, name);
          return instance.state === "IDLE" ? hosting.connectionString(instance) : undefined;
        },
        password: known.demo?.password,
        clock,
        ids,
      })
    : known.demo;
  const now: Credentials = { ...known, baseUrl, ...(demo === undefined ? {} : { demo }) };
  if (JSON.stringify(now) !== JSON.stringify(known)) await writeCredentials(configuration.dataDirectory, now);
  return now;
}

function stopOnSignal(composition: Composition, log: ReturnType<typeof createLog>): void {
  let stopping = false;
  const stop = (signal: string): void => {
    if (stopping) return;
    stopping = true;
    log.info({ signal }, "stopping");
    composition
      .stop(shutdownGraceMs)
      .then(() => process.exit(0))
      .catch((error: unknown) => {
        log.error({ err: error }, "stopping failed");
        process.exit(1);
      });
  };
  process.on("SIGTERM", () => stop("SIGTERM"));
  process.on("SIGINT", () => stop("SIGINT"));
}

/** Lines to copy. Secrets stay in the file; the commands read them from there. */
function printWelcome(configuration: Configuration, credentials: Credentials | undefined, full: boolean): void {
  if (credentials === undefined || !full) return;
  const path = credentialsPath(configuration.dataDirectory);
  const read = (expression: string): string => `$(node -p 'require("${path}").${expression}')`;
  const instance = credentials.demo?.instance ?? "Instance0";
  const list = `"${credentials.baseUrl}/api/atlas/v2/groups/${credentials.groupId}/serverless/${instance}/backup/snapshots"`;
  const accept = '-H "Accept: application/vnd.atlas.2023-01-01+json"';
  const lines = [
    `Credentials are in ${path} (readable by you alone): an API key and a service account, both Organization Owner.`,
    "",
    ...(credentials.demo === undefined
      ? ["Once there is an instance, its snapshots:"]
      : ["The snapshots of the demo's instance, with an API key:"]),
    `  curl --user "${read("apiKey.publicKey")}:${read("apiKey.privateKey")}" --digest ${accept} ${list}`,
    "",
    "The same with a token of the service account:",
    `  TOKEN=$(curl -s --user "${read("serviceAccount.clientId")}:${read("serviceAccount.clientSecret")}" -d grant_type=client_credentials ${credentials.baseUrl}/api/oauth/token | node -p 'JSON.parse(require("fs").readFileSync(0)).access_token')`,
    `  curl -H "Authorization: Bearer $TOKEN" ${accept} ${list}`,
    "",
    ...(credentials.demo === undefined
      ? []
      : ["Its database, with mongosh:", `  mongosh "${read("demo.connectionString")}"`, ""]),
    `The API to read: ${credentials.baseUrl}/docs`,
    "",
  ];
  process.stdout.write(`${lines.join("\n")}\n`);
}
