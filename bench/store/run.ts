// `npm run bench:store`: Telamon's backup store beside restic and borg (skipped with a word where they are not installed), on the same order-like documents from a fixed seed,
// in one run. `--mib N` sets the size (1024), `--only telamon,borg` the tools.
import { createHash } from "node:crypto";
import { createReadStream, mkdtempSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { writeOrders, type OrderVariant } from "./orders.ts";
import { borg, isInstalled, restic, telamon, type Tool } from "./tools.ts";

const { values } = parseArgs({
  options: { mib: { type: "string", default: "1024" }, only: { type: "string", default: "telamon,restic,borg" } },
});
const sizeBytes = Number(values.mib) * 1_048_576;
const wanted = values.only.split(",");

/** The data as it changes, each from the first. */
const variants: readonly (OrderVariant & { readonly name: string })[] = [
  { name: "first", updated: 0, appended: 0, round: 0 },
  { name: "0.1 % updated", updated: 0.001, appended: 0, round: 1 },
  { name: "1 % updated", updated: 0.01, appended: 0, round: 2 },
  { name: "1 % appended", updated: 0.01, appended: 0.01, round: 2 },
];

const folder = mkdtempSync(join(tmpdir(), "telamon-bench-store-"));
try {
  const tools = [
    ...(wanted.includes("telamon") ? [telamon(folder)] : []),
    ...installed("restic", restic),
    ...installed("borg", borg),
  ];
  await run(tools);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function installed(name: string, make: (folder: string) => Tool): Tool[] {
  if (!wanted.includes(name)) return [];
  if (isInstalled(name)) return [make(folder)];
  console.log(`${name} is not installed and is left out`);
  return [];
}

async function run(tools: readonly Tool[]): Promise<void> {
  const input = join(folder, "orders.bson");
  let digest = "";
  for (const { name, ...variant } of variants) {
    const next = join(folder, "next.bson");
    const size = await writeOrders(next, sizeBytes, variant);
    renameSync(next, input);
    digest = await digestOf(input);
    console.log(`\n${name}: ${mib(size)} MiB`);
    for (const tool of tools) {
      const before = name === "first" ? 0 : tool.storedBytes();
      const { seconds, cpuSeconds, peakBytes } = await tool.snapshot(input);
      const added = tool.storedBytes() - before;
      console.log(
        `  ${tool.name.padEnd(20)} ${seconds.toFixed(1).padStart(7)} s ${(size / 1_048_576 / seconds).toFixed(0).padStart(6)} MiB/s  ${cpuSeconds.toFixed(1).padStart(5)} CPU s  stored ${mib(added).padStart(7)} MiB  memory ${mib(peakBytes).padStart(5)} MiB`,
      );
    }
  }
  console.log("\nverify (of what is stored) and restore (of the newest)");
  for (const tool of tools) {
    const stored = tool.storedBytes();
    const verified = await tool.verify();
    const restored = await tool.restore();
    if ((await digestOf(restored.path)) !== digest) throw new Error(`${tool.name} restored other bytes`);
    console.log(
      `  ${tool.name.padEnd(20)} verify ${(stored / 1_048_576 / verified.seconds).toFixed(0).padStart(6)} MiB/s, ${mib(verified.peakBytes)} MiB  restore ${(sizeBytes / 1_048_576 / restored.seconds).toFixed(0).padStart(6)} MiB/s, ${mib(restored.peakBytes)} MiB`,
    );
    rmSync(restored.path);
  }
}

async function digestOf(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest("hex");
}

function mib(bytes: number): string {
  return (bytes / 1_048_576).toFixed(1);
}
