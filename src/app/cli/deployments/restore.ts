import { ConfigurationError } from "../../configuration.ts";
import { exitCodes } from "../../exit-codes.ts";
import { type Call, untilEnded } from "./call.ts";

interface ShownRestore {
  readonly id: string;
  readonly status: string;
  readonly failureReason?: string;
}

/** Puts a snapshot in the place of all that an instance holds; with `--wait` answers when it has ended, and fails when it failed. */
export async function restore(call: Call): Promise<number> {
  const { api, path, names, flags, output } = call;
  const targetName = flags.get("to");
  if (targetName === undefined) throw new ConfigurationError(["restore needs --to INSTANCE"]);
  const started = await api.call<ShownRestore>("POST", `${path}/restoreJobs`, {
    snapshotId: names[1],
    targetKind: "serverless",
    targetName,
  });
  const ended = flags.has("wait") ? await untilEnded<ShownRestore>(call, `${path}/restoreJobs/${started.id}`) : started;
  output.result(ended, () => [
    `restore ${ended.id} to ${targetName} is ${ended.status}${ended.failureReason === undefined ? "" : `: ${ended.failureReason}`}`,
  ]);
  return ended.status === "failed" ? exitCodes.failed : exitCodes.ok;
}
