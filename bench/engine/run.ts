// `npm run bench:engine`: the embedded databases against FerretDB over SQLite, the same driver, in one run.
// `--quick` with fewer documents, `--rounds N`, `--only wake|compare|delay|stops`.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { compare, type Effort } from "./compare.ts";
import { startFerretDb } from "./ferretdb.ts";
import { fill } from "./rows.ts";
import { delays, largeDatabaseName } from "./delays.ts";
import { startTelamonServer, type TelamonServer } from "./server.ts";
import { stops } from "./stops.ts";
import { wakings } from "./wake.ts";

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    rounds: { type: "string" },
    only: { type: "string" },
  },
});
const effort: Effort = {
  documents: values.quick ? 5000 : 20_000,
  rounds: Number(values.rounds ?? (values.quick ? 1 : 5)),
  seconds: values.quick ? 0.3 : 1,
};

if (values.only === undefined || values.only === "wake") await wakings(values.quick ? 5 : 20);

if (values.only !== "wake") await withServer();

async function withServer(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "telamon-bench-"));
  const telamon = await startTelamonServer(join(folder, "telamon"));
  try {
    if (values.only === undefined || values.only === "compare") await against(folder, telamon);
    const largest = values.quick ? 100_000 : 1_000_000;
    if (values.only === undefined || values.only === "delay") await delays(telamon, largest, values.quick ? 3 : 10);
    if (values.only === "stops") await fill(telamon.client.db(largeDatabaseName), largest);
    if (values.only === undefined || values.only === "stops") await stops(telamon, largest);
  } finally {
    await telamon.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function against(folder: string, telamon: TelamonServer): Promise<void> {
  const ferretdb = await startFerretDb(join(folder, "ferretdb"));
  try {
    for (const { client } of [telamon, ferretdb]) await fill(client.db("bench"), effort.documents);
    await compare(telamon, ferretdb, effort);
  } finally {
    await ferretdb.stop();
  }
}
