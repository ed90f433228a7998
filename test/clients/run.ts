// Runs real, unmodified clients against a demo server of this checkout: `node test/clients/run.ts [--slice] [--only name,...]`.
// --slice leaves out what takes long to build or install. What is missing is skipped with a word that says why.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { startTelamon, temporaryDataDirectory, type TelamonProcess } from "../support/telamon-process.ts";

interface Outcome {
  readonly passed: number;
  readonly failed: number;
  readonly skipped?: string;
}

const folder = import.meta.dirname;
const cache = resolve(folder, "../../.cache/clients");
const { values } = parseArgs({ options: { slice: { type: "boolean", default: false }, only: { type: "string" } } });

const clients: Readonly<Record<string, (telamon: TelamonProcess, credentials: string) => Outcome>> = {
  curl: (telamon) => runCurl(telamon),
  "sdk-2023": (_telamon, credentials) => runGo("sdk-2023", credentials),
  "sdk-new": (_telamon, credentials) =>
    values.slice ? skipped("not in the slice: it takes minutes to compile") : runGo("sdk-new", credentials),
  mongosh: (telamon, credentials) => runMongosh(telamon, credentials),
  mongoose: (telamon) => runNpm("mongoose", telamon),
  compass: (telamon) => runNpm("compass", telamon),
  "mcp-server": (telamon) => runNpm("mcp-server", telamon),
  pymongo: (telamon) => runPyMongo(telamon),
  mongodump: (_telamon, credentials) => runMongodump(credentials),
  "atlas-cli": (_telamon, credentials) => runAtlasCli(credentials),
};

const wanted = values.only?.split(",") ?? Object.keys(clients);
const data = temporaryDataDirectory();
const totals = { passed: 0, failed: 0, skipped: 0 };
const telamon = await startTelamon(data.path, "--demo");
try {
  for (const name of wanted) {
    const run = clients[name];
    if (run === undefined) throw new Error(`there is no client ${name}; there are ${Object.keys(clients).join(", ")}`);
    console.log(`\n== ${name}`);
    const outcome = run(telamon, join(data.path, "credentials.json"));
    if (outcome.skipped !== undefined) console.log(`skipped: ${outcome.skipped}`);
    totals.passed += outcome.passed;
    totals.failed += outcome.failed;
    totals.skipped += outcome.skipped === undefined ? 0 : 1;
  }
} finally {
  await telamon.stop();
  data.remove();
}
console.log(`\n${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`);
process.exit(totals.failed === 0 && totals.passed > 0 ? 0 : 1);

function skipped(why: string): Outcome {
  return { passed: 0, failed: 0, skipped: why };
}

/** Counts the `ok` and `FAIL` lines of a program; one that says nothing, or ends badly without saying why, has failed. */
function count(command: string, args: readonly string[], environment: Readonly<Record<string, string>>): Outcome {
  const result = spawnSync(command, args, {
    encoding: "utf8",
    env: { ...process.env, ...environment },
    timeout: 300_000,
  });
  const lines = `${result.stdout}\n${result.stderr}`.split("\n");
  console.log(lines.filter((line) => line !== "").join("\n"));
  const passed = lines.filter((line) => line.startsWith("ok ")).length;
  const failed = lines.filter((line) => line.startsWith("FAIL ")).length;
  const silent = failed === 0 && (result.status !== 0 || passed === 0);
  return { passed, failed: failed + (silent ? 1 : 0) };
}

function runGo(name: string, credentials: string): Outcome {
  if (spawnSync("go", ["version"]).status !== 0) return skipped("there is no Go here");
  mkdirSync(cache, { recursive: true });
  const binary = join(cache, name);
  const built = spawnSync("go", ["build", "-o", binary, "."], { cwd: join(folder, name), encoding: "utf8" });
  if (built.status !== 0) {
    console.log(built.stderr);
    return { passed: 0, failed: 1 };
  }
  return count(binary, [], { TELAMON_CREDENTIALS: credentials });
}

function runMongosh(telamon: TelamonProcess, credentials: string): Outcome {
  const binary = join(folder, "mongosh/node_modules/.bin/mongosh");
  if (!existsSync(binary)) {
    if (values.slice) return skipped("not in the slice unless installed: npm ci in test/clients/mongosh");
    spawnSync("npm", ["ci"], { cwd: join(folder, "mongosh"), stdio: "ignore" });
  }
  const script = count(
    binary,
    ["--quiet", "--norc", telamon.credentials.demo?.connectionString ?? "", join(folder, "mongosh/script.js")],
    {},
  );
  const round = count(process.execPath, [join(folder, "mongosh-restore-round.ts")], {
    TELAMON_CREDENTIALS: credentials,
    MONGOSH: binary,
  });
  return { passed: script.passed + round.passed, failed: script.failed + round.failed };
}

/** A client that npm installs in a folder of its own, with a script that is given the demo's connection string. */
function runNpm(name: string, telamon: TelamonProcess): Outcome {
  const client = join(folder, name);
  if (!existsSync(join(client, "node_modules"))) {
    if (values.slice) return skipped(`not in the slice unless installed: npm ci in test/clients/${name}`);
    spawnSync("npm", ["ci"], { cwd: client, stdio: "ignore" });
  }
  return count(process.execPath, [join(client, "script.js"), telamon.credentials.demo?.connectionString ?? ""], {});
}

function runPyMongo(telamon: TelamonProcess): Outcome {
  const environment = join(cache, "pymongo");
  const python = join(environment, "bin/python");
  const requirements = join(folder, "pymongo/requirements.txt");
  const installed = (): boolean => spawnSync(python, ["-c", "import pymongo"]).status === 0;
  if (!installed()) {
    if (values.slice) return skipped("not in the slice unless installed by a run without --slice");
    if (spawnSync("python3", ["-m", "venv", environment]).status !== 0)
      return skipped("there is no Python 3 with venv");
    spawnSync(python, ["-m", "pip", "install", "-q", "-r", requirements], { stdio: "ignore" });
  }
  if (!installed()) return skipped("PyMongo could not be installed");
  return count(python, [join(folder, "pymongo/script.py"), telamon.credentials.demo?.connectionString ?? ""], {});
}

function runMongodump(credentials: string): Outcome {
  const { MONGODUMP, MONGORESTORE } = process.env;
  if (MONGODUMP === undefined || MONGORESTORE === undefined)
    return skipped("set MONGODUMP and MONGORESTORE to binaries of the MongoDB Database Tools");
  return count(process.execPath, [join(folder, "mongodump.ts")], { TELAMON_CREDENTIALS: credentials });
}

function runAtlasCli(credentials: string): Outcome {
  const atlas = process.env.ATLAS;
  if (atlas === undefined) return skipped("set ATLAS to a binary of the Atlas CLI 1.51.2");
  return count("bash", [join(folder, "atlas-cli.sh")], { TELAMON_CREDENTIALS: credentials, ATLAS: atlas });
}

function runCurl(telamon: TelamonProcess): Outcome {
  const { baseUrl, groupId, apiKey, serviceAccount, demo } = telamon.credentials;
  const url = `${baseUrl}/api/atlas/v2/groups/${groupId}/serverless/${demo?.instance ?? ""}/backup/snapshots`;
  const accept = ["-H", "Accept: application/vnd.atlas.2023-01-01+json"];
  const curl = (...args: readonly string[]): string => spawnSync("curl", ["-sS", ...args], { encoding: "utf8" }).stdout;
  const token = (
    JSON.parse(
      curl(
        "--user",
        `${serviceAccount.clientId}:${serviceAccount.clientSecret}`,
        "-d",
        "grant_type=client_credentials",
        `${baseUrl}/api/oauth/token`,
      ),
    ) as { access_token: string }
  ).access_token;
  const answers = {
    "snapshots are listed with a bearer token": curl(...accept, "-H", `Authorization: Bearer ${token}`, url),
    "snapshots are listed with digest": curl(
      ...accept,
      "--user",
      `${apiKey.publicKey}:${apiKey.privateKey}`,
      "--digest",
      url,
    ),
  };
  const outcomes = Object.entries(answers).map(([name, text]) => {
    const good = text.includes('"status":"completed"');
    console.log(`${good ? "ok" : "FAIL"} ${name}`);
    return good;
  });
  return { passed: outcomes.filter(Boolean).length, failed: outcomes.filter((good) => !good).length };
}
