// Everything a change must pass before it is committed: generated files, format, lint, types. Tests are `npm test`.
import { spawnSync } from "node:child_process";
import { join, resolve } from "node:path";

const root = resolve(import.meta.dirname, "..");
const binaries = join(root, "node_modules", ".bin");

const steps: readonly (readonly [string, string, readonly string[]])[] = [
  ["generated files are current", process.execPath, ["tools/generate.ts", "--check"]],
  ["format", join(binaries, "oxfmt"), ["--check"]],
  ["lint", join(binaries, "oxlint"), ["--deny-warnings"]],
  ["types", join(binaries, "tsc"), []],
];

let failed = 0;
for (const [name, command, commandArguments] of steps) {
  const result = spawnSync(command, commandArguments, { cwd: root, encoding: "utf8" });
  const ok = result.status === 0;
  console.log(`${ok ? "ok  " : "FAIL"} ${name}`);
  if (!ok) {
    failed += 1;
    console.log(`${result.stdout ?? ""}${result.stderr ?? ""}`.trimEnd());
  }
}
process.exit(failed === 0 ? 0 : 1);
