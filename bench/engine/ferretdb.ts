import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join, resolve } from "node:path";
import { MongoClient } from "mongodb";
import { residentBytesOf } from "../telamon-process.ts";
import type { BenchServer } from "./server.ts";

const module = "github.com/FerretDB/FerretDB";
const version = "v1.24.2";
const cache = resolve(import.meta.dirname, "../../.cache/ferretdb", version);

/** Builds FerretDB from the Go module proxy unless it was built before; answers the program. Throws when there is no Go. */
export function buildFerretDb(): string {
  const program = join(cache, "ferretdb");
  if (existsSync(program)) return program;
  console.log(`building FerretDB ${version} into ${cache}`);
  const described = execFileSync("go", ["mod", "download", "-json", `${module}@${version}`], { encoding: "utf8" });
  const source = join(cache, "source");
  mkdirSync(cache, { recursive: true });
  cpSync((JSON.parse(described) as { Dir: string }).Dir, source, { recursive: true });
  makeWritable(source);
  // The module as published lacks the file that its own build makes, and the program ends without it.
  writeFileSync(join(source, "build/version/version.txt"), version);
  execFileSync("go", ["build", "-trimpath", "-o", program, "./cmd/ferretdb"], {
    cwd: source,
    stdio: "inherit",
    env: { ...process.env, CGO_ENABLED: "0" },
  });
  return program;
}

function makeWritable(folder: string): void {
  chmodSync(folder, 0o755);
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) makeWritable(join(folder, entry.name));
    else chmodSync(join(folder, entry.name), 0o644);
  }
}

/** Starts it over SQLite files in a folder of its own, on a free port of this machine, its telemetry off. */
export async function startFerretDb(folder: string): Promise<BenchServer> {
  mkdirSync(join(folder, "data"), { recursive: true });
  const port = await freePort();
  const flags = {
    handler: "sqlite",
    "sqlite-url": `file:${join(folder, "data")}/`,
    "state-dir": folder,
    "listen-addr": `127.0.0.1:${port}`,
    "debug-addr": "-",
    telemetry: "disable",
    "log-level": "ERROR",
  };
  const child = spawn(
    buildFerretDb(),
    Object.entries(flags).map(([name, value]) => `--${name}=${value}`),
    { stdio: ["ignore", "ignore", "inherit"] },
  );
  const uri = `mongodb://127.0.0.1:${port}/?directConnection=true&serverSelectionTimeoutMS=10000`;
  const client = await new MongoClient(uri, { retryWrites: false }).connect();
  return {
    name: `FerretDB ${version}`,
    uri,
    client,
    residentBytes: () => residentBytesOf(child),
    async stop() {
      await client.close();
      child.kill("SIGTERM");
      await once(child, "exit");
    },
  };
}

function freePort(): Promise<number> {
  return new Promise((fulfil, reject) => {
    const server = createServer().once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => fulfil(port));
    });
  });
}
