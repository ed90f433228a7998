// `npm run bench`: the list of snapshots against the same bytes from a bare node:http server, in one run, as ratios; and what a server costs that does nothing.
// A row is measured in rounds, ours and theirs in turn, and shows the round with the median ratio. `--seconds N` sets the time of a round (1), `--rounds N` how many (3);
// `--quick` is one round each and leaves the million out.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { startBareServer } from "./list/bare-server.ts";
import { fillStore, instanceName } from "./list/fill-store.ts";
import { setTimeout as sleep } from "node:timers/promises";
import { measureInstances } from "./list/instances.ts";
import { type Measurement, measure } from "./list/load.ts";
import { authorizationKinds, createPlan } from "./list/plan.ts";
import { type Credentials, startTelamon } from "./telamon-process.ts";

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    seconds: { type: "string", default: "1" },
    rounds: { type: "string" },
  },
});
const seconds = Number(values.seconds);
const rounds = Number(values.rounds ?? (values.quick ? 1 : 3));
const warmUpSeconds = 3;
/** After so long without a request a server is called idle. */
const idleMs = 10_000;
const sizes = values.quick ? [10, 10_000] : [10, 10_000, 1_000_000];
const pageSizes = [1, 100, 500];

const dataDirectory = mkdtempSync(join(tmpdir(), "telamon-bench-"));
try {
  await run();
} finally {
  rmSync(dataDirectory, { recursive: true, force: true });
}

async function run(): Promise<void> {
  const first = await startTelamon(dataDirectory);
  await first.stop();
  console.log(`filling the store: ${sizes.join(", ")} snapshots`);
  await fillStore(dataDirectory, first.credentials.groupId, sizes);

  const telamon = await startTelamon(dataDirectory);
  console.log(
    `start to ready: ${Math.round(first.readyMs)} ms on an empty folder, ${Math.round(telamon.readyMs)} ms with the store filled`,
  );
  await sleep(idleMs);
  console.log(`idle memory: ${mebibytes(telamon.residentBytes())} resident, with the store filled\n`);
  try {
    await warmUp(telamon.credentials);
    console.log(
      "auth          snapshots   page  position     telamon rps   p50 ms  p99 ms     bare rps   p50 ms  p99 ms   ratio",
    );
    for (const kind of authorizationKinds) {
      for (const size of sizes) {
        for (const pageSize of pageSizes) {
          await row(telamon.credentials, kind, size, pageSize, 1);
        }
      }
    }
    const largest = sizes.at(-1) ?? 10;
    await row(telamon.credentials, "bearer", largest, 100, Math.floor(largest / 100));
    console.log(`\nmemory after the load: ${mebibytes(telamon.residentBytes())} resident`);
  } finally {
    await telamon.stop();
  }
  await measureInstances(values.quick ? 100 : 1000);
}

/** The first row is not to be the one that is measured while code is still being compiled. */
async function warmUp(credentials: Credentials): Promise<void> {
  const path = snapshotsPath(credentials, 10, 1, 1);
  await measure(credentials.baseUrl, await createPlan("bearer", credentials, path), warmUpSeconds);
}

function snapshotsPath({ groupId }: Credentials, size: number, pageSize: number, pageNumber: number): string {
  return `/api/atlas/v2/groups/${groupId}/serverless/${instanceName(size)}/backup/snapshots?itemsPerPage=${pageSize}&pageNum=${pageNumber}`;
}

async function row(
  credentials: Credentials,
  kind: (typeof authorizationKinds)[number],
  size: number,
  pageSize: number,
  pageNumber: number,
): Promise<void> {
  const path = snapshotsPath(credentials, size, pageSize, pageNumber);
  const plan = await createPlan(kind, credentials, path);
  const bare = await startBareServer(plan.sample);
  try {
    const measured: { readonly ours: Measurement; readonly theirs: Measurement; readonly ratio: number }[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const ours = await measure(credentials.baseUrl, plan, seconds);
      const theirs = await measure(bare.url, plan, seconds);
      measured.push({ ours, theirs, ratio: ours.requestsPerSecond / theirs.requestsPerSecond });
    }
    const median = measured.toSorted((one, other) => one.ratio - other.ratio)[Math.floor(rounds / 2)];
    if (median === undefined) throw new Error("nothing was measured");
    const { ours, theirs, ratio } = median;
    console.log(
      `${kind.padEnd(13)} ${String(size).padStart(9)} ${String(pageSize).padStart(6)}  ${(pageNumber === 1 ? "first" : "deep").padEnd(8)} ${show(ours)} ${show(theirs)}  ${ratio.toFixed(2).padStart(6)}`,
    );
  } finally {
    await bare.stop();
  }
}

function mebibytes(bytes: number): string {
  return `${Math.round(bytes / 1048576)} MiB`;
}

function show(measurement: Measurement): string {
  return `${measurement.requestsPerSecond.toFixed(0).padStart(15)} ${measurement.p50Ms.toFixed(1).padStart(8)} ${measurement.p99Ms.toFixed(1).padStart(7)}`;
}
