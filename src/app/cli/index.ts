import type { CliCommand } from "./command.ts";
import { drill } from "./drill.ts";
import { exportSnapshot } from "./export.ts";
import { gc } from "./gc.ts";
import { keys } from "./keys.ts";
import { recover } from "./recover.ts";
import { snapshots } from "./snapshots.ts";
import { verify } from "./verify.ts";

/** Commands that work on the store by themselves, by name. */
export const cliCommands: readonly CliCommand[] = [snapshots, verify, gc, drill, recover, exportSnapshot, keys];
