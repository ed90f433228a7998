// Runs the test suite with Node's own runner: `npm test`, or `npm test -- src/engine` for a part of it.
import { spawnSync } from "node:child_process";
import { globSync } from "node:fs";
import { join, resolve } from "node:path";

const root = resolve(import.meta.dirname, "..");
const wanted = process.argv.slice(2).filter((argument) => !argument.startsWith("--"));
const flags = process.argv.slice(2).filter((argument) => argument.startsWith("--"));

const files = globSync(["src/**/*.test.ts", "test/**/*.test.ts", "tools/**/*.test.ts"], { cwd: root })
  .filter(
    (file) =>
      !file.startsWith("test/clients/") && (wanted.length === 0 || wanted.some((part) => file.startsWith(part))),
  )
  .toSorted();
if (files.length === 0) {
  console.error(`no test file matches ${wanted.join(" ")}`);
  process.exit(1);
}

const result = spawnSync(
  process.execPath,
  ["--test", "--test-timeout=300000", "--test-concurrency=2", ...flags, ...files.map((file) => join(root, file))],
  // Threads of the process under test keep compiled code, as they do in the product.
  {
    cwd: root,
    stdio: "inherit",
    env: { NODE_COMPILE_CACHE: join(root, "node_modules", ".cache", "compiled"), ...process.env },
  },
);
process.exit(result.status ?? 1);
