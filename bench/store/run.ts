// `npm run bench:store`: Telamon beside restic, borg and mongodump on the same order-like documents from a fixed seed, in one run: from its engine to its store, and its store alone, fed
// from a file. What is not installed is left out with a word. `--mib N` sets the size (1024), `--only telamon,borg,restic,whole,mongodump` what is measured, `--rounds N` how often (1; the
// tools take turns, the table has medians). MONGODUMP and MONGORESTORE name those programs.
import { createHash } from "node:crypto";
import { createReadStream, mkdtempSync, renameSync, rmSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { BenchDeployment } from "./deployment.ts";
import { mongodump, telamonWhole } from "./deployment-tools.ts";
import { type OrderVariant, writeOrders } from "./orders.ts";
import { type Column, ratioText, Results, tableOf } from "./results.ts";
import { borg, isInstalled, restic, telamon, type Tool } from "./tools.ts";

const { values } = parseArgs({
  options: {
    mib: { type: "string", default: "1024" },
    only: { type: "string", default: "whole,telamon,restic,borg,mongodump" },
    rounds: { type: "string", default: "1" },
  },
});
const sizeBytes = Number(values.mib) * 1_048_576;
const rounds = Number(values.rounds);
const wanted = new Set(values.only.split(","));
const { MONGODUMP: dumpProgram, MONGORESTORE: restoreProgram } = process.env;

/** The data as it changes, each from the first. */
const variants: readonly (OrderVariant & {
  readonly name: string;
  readonly seconds?: Column;
  readonly stored?: Column;
})[] = [
  { name: "first", updated: 0, appended: 0, round: 0 },
  {
    name: "0.1 % updated",
    updated: 0.001,
    appended: 0,
    round: 1,
    seconds: "0.1 % updated s",
    stored: "stored for 0.1 % MiB",
  },
  { name: "1 % updated", updated: 0.01, appended: 0, round: 2, seconds: "1 % updated s", stored: "stored for 1 % MiB" },
  {
    name: "1 % appended",
    updated: 0.01,
    appended: 0.01,
    round: 2,
    seconds: "1 % appended s",
    stored: "stored for 1 % appended MiB",
  },
];

const all = new Map<string, Results>();
for (let round = 0; round < rounds; round += 1) {
  const folder = mkdtempSync(join(tmpdir(), "telamon-bench-store-"));
  const server =
    wanted.has("whole") || wanted.has("mongodump")
      ? await BenchDeployment.start(join(folder, "server"), sizeBytes)
      : undefined;
  try {
    await run(folder, toolsFor(folder, server, round === 0), server);
  } finally {
    await server?.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}
const results = [...all.values()];
console.log(`\n${tableOf(results)}\n`);
const rival = results.find(({ name }) => name === "borg");
if (rival !== undefined)
  for (const ours of results.filter(({ name }) => name.startsWith("telamon"))) console.log(ratioText(ours, rival));
console.log(`
Medians of ${rounds} round(s); load of the machine ${load()}. All of them make what they stored durable (fsync). Telamon compresses with zstd 1, decodes every block again and compares before
it is stored, and reads everything new back before it is done; borg (zstd,1, repokey-blake2) and restic (repository version 2, its own choice of zstd) do neither here.
mongodump compresses with gzip, encrypts nothing and stores everything each time.`);

function toolsFor(folder: string, server: BenchDeployment | undefined, isFirstRound: boolean): Tool[] {
  const leaveOut = (word: string): undefined => {
    if (isFirstRound) console.log(word);
  };
  const tools = [
    server !== undefined && wanted.has("whole") ? telamonWhole(server) : undefined,
    wanted.has("telamon") ? telamon(folder) : undefined,
    ...(["restic", "borg"] as const).map((name) => {
      if (!wanted.has(name)) return undefined;
      if (!isInstalled(name)) return leaveOut(`${name} is not installed and is left out`);
      return name === "restic" ? restic(folder) : borg(folder);
    }),
    wanted.has("mongodump") && server !== undefined
      ? dumpProgram === undefined || !isInstalled(dumpProgram)
        ? leaveOut("MONGODUMP names no program, and mongodump is left out")
        : mongodump(server, folder, { dump: dumpProgram, restore: restoreProgram })
      : undefined,
  ];
  return tools.filter((tool) => tool !== undefined);
}

async function run(folder: string, tools: readonly Tool[], server: BenchDeployment | undefined): Promise<void> {
  const input = join(folder, "orders.bson");
  const firstSeconds = new Map<Tool, number>();
  let digest = "";
  for (const { name, seconds: secondsColumn, stored, ...variant } of variants) {
    const next = join(folder, "next.bson");
    const size = await writeOrders(next, sizeBytes, variant);
    renameSync(next, input);
    digest = await digestOf(input);
    await server?.become(variant);
    if (server !== undefined && (await server.digestOf()) !== digest) throw new Error("the database holds other bytes");
    console.log(`\n${name}: ${mib(size)} MiB, load of the machine ${load()}`);
    for (const tool of tools) {
      const before = name === "first" ? 0 : tool.storedBytes();
      const ran = await tool.snapshot(input);
      const added = tool.storedBytes() - before;
      const rate = size / 1_048_576 / ran.seconds;
      console.log(
        `  ${tool.name.padEnd(24)} ${ran.seconds.toFixed(1).padStart(7)} s ${rate.toFixed(0).padStart(6)} MiB/s  ${ran.cpuSeconds.toFixed(1).padStart(5)} CPU s  stored ${mib(added).padStart(7)} MiB  memory ${mib(ran.peakBytes).padStart(5)} MiB`,
      );
      const figures = resultsOf(tool);
      figures.addPeak(ran);
      if (secondsColumn === undefined) figures.add("first MiB/s", rate);
      else figures.add(secondsColumn, ran.seconds);
      if (name === "first") firstSeconds.set(tool, ran.seconds);
      else if (name === "0.1 % updated")
        figures.add("first / 0.1 % updated", (firstSeconds.get(tool) ?? Number.NaN) / ran.seconds);
      if (stored !== undefined) figures.add(stored, added / 1_048_576);
    }
  }
  console.log(`\nverify (of what is stored) and restore (of the newest), load of the machine ${load()}`);
  for (const tool of tools) await prove(tool, digest);
}

async function prove(tool: Tool, digest: string): Promise<void> {
  const figures = resultsOf(tool);
  const stored = tool.storedBytes();
  const verified = await tool.verify?.();
  if (verified !== undefined) {
    const rate = stored / 1_048_576 / verified.seconds;
    console.log(
      `  ${tool.name.padEnd(24)} verify  ${rate.toFixed(0).padStart(6)} MiB/s, memory ${mib(verified.peakBytes)} MiB`,
    );
    figures.add("verify MiB/s", rate);
    figures.addPeak(verified);
  }
  const restored = await tool.restore?.();
  if (restored === undefined) return;
  const found = "digest" in restored ? restored.digest : await digestOf(restored.path);
  if (found !== digest) throw new Error(`${tool.name} restored other bytes`);
  if ("path" in restored) rmSync(restored.path);
  const rate = sizeBytes / 1_048_576 / restored.seconds;
  console.log(
    `  ${tool.name.padEnd(24)} restore ${rate.toFixed(0).padStart(6)} MiB/s, memory ${mib(restored.peakBytes)} MiB`,
  );
  figures.add("restore MiB/s", rate);
  figures.addPeak(restored);
}

function resultsOf({ name }: Tool): Results {
  const known = all.get(name) ?? new Results(name);
  all.set(name, known);
  return known;
}

async function digestOf(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest("hex");
}

function load(): string {
  return (loadavg()[0] ?? 0).toFixed(1);
}

function mib(bytes: number): string {
  return (bytes / 1_048_576).toFixed(1);
}
