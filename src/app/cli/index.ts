import type { CliCommand } from "./command.ts";
import { deployments } from "./deployments/deployments.ts";
import { drill } from "./drill.ts";
import { exportSnapshot } from "./export.ts";
import { gc } from "./gc.ts";
import { keys } from "./keys.ts";
import { recover } from "./recover.ts";
import { snapshots } from "./snapshots.ts";
import { verify } from "./verify.ts";

/** Commands by name: those that work on the store by themselves, and `deployments`, which calls the running server. */
export const cliCommands: readonly CliCommand[] = [
  snapshots,
  deployments,
  verify,
  gc,
  drill,
  recover,
  exportSnapshot,
  keys,
];
