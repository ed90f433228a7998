// Plain JavaScript for the reason given in src/main.js.
import { lstatSync, mkdirSync } from "node:fs";
import { enableCompileCache } from "node:module";
import { homedir } from "node:os";
import { join } from "node:path";

/**
 * Keeps compiled code between starts, in a folder that nobody else can write to: `NODE_COMPILE_CACHE`, or `telamon/compiled` in `XDG_CACHE_HOME` or `~/.cache`. Node's own
 * choice is a folder of one name for all users of the machine, and what is found there is run. Threads find the folder in the environment. Without such a folder nothing is
 * kept, and starts take longer.
 */
export function keepCompiledCode() {
  const folder =
    process.env["NODE_COMPILE_CACHE"] ??
    join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "telamon", "compiled");
  if (!isOwn(folder)) return;
  process.env["NODE_COMPILE_CACHE"] = folder;
  enableCompileCache(folder);
}

/** Makes the folder when it is missing. */
function isOwn(/** @type {string} */ folder) {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const { uid, mode } = lstatSync(folder);
    return process.getuid === undefined || (uid === process.getuid() && (mode & 0o022) === 0);
  } catch {
    return false;
  }
}
