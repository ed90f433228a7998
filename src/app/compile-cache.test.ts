import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, describe, test } from "node:test";

const main = resolve(import.meta.dirname, "../main.js");
const folder = mkdtempSync(join(tmpdir(), "telamon-compiled-"));
after(() => rmSync(folder, { recursive: true, force: true }));

function runWith(environment: NodeJS.ProcessEnv): void {
  const { NODE_COMPILE_CACHE: _, ...rest } = process.env;
  execFileSync(process.execPath, [main, "--version"], { env: { ...rest, ...environment } });
}

describe("compiled code", () => {
  test("is kept in a folder of the user's own that nobody else may read or write", () => {
    const cache = join(folder, "cache");
    runWith({ XDG_CACHE_HOME: cache });
    const compiled = join(cache, "telamon", "compiled");
    assert.equal(statSync(compiled).mode & 0o777, 0o700);
    assert.ok(readdirSync(compiled).length > 0);
  });

  test("is not kept, nor taken, where others may write", () => {
    const open = join(folder, "open");
    mkdirSync(join(open, "telamon", "compiled"), { recursive: true });
    chmodSync(join(open, "telamon", "compiled"), 0o777);
    runWith({ XDG_CACHE_HOME: open });
    assert.deepEqual(readdirSync(join(open, "telamon", "compiled")), []);
  });

  test("is not needed: a folder that cannot be made is none", () => {
    runWith({ XDG_CACHE_HOME: join(main, "not a folder") });
  });
});
