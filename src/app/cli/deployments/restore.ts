import { ConfigurationError } from "../../configuration.ts";
import { exitCodes } from "../../exit-codes.ts";
import { untilEnded } from "../until-ended.ts";
import type { Call } from "./call.ts";

interface ShownRestore {
  readonly id: string;
  readonly status: string;
  readonly failureReason?: string;
}

/**
 * Puts a snapshot of any deployment in the place of all that an instance holds, or into an external deployment; with `--wait` answers when it has ended, and fails when it
 * failed.
 */
export async function restore(call: Call): Promise<number> {
  const { api, names, flags, output } = call;
  const [deploymentName = "", snapshotId] = names;
  const [instance, external] = [flags.get("to"), flags.get("to-external")];
  const targetName = instance ?? external;
  if (targetName === undefined || (instance !== undefined && external !== undefined))
    throw new ConfigurationError(["restore needs --to INSTANCE or --to-external NAME"]);
  const path = `/api/telamon/v1/groups/${api.projectId}/deployments/${encodeURIComponent(deploymentName)}/restoreJobs`;
  const targetProjectId = flags.get("to-project");
  const started = await api.call<ShownRestore>("POST", path, {
    snapshotId,
    targetKind: instance === undefined ? "external" : "serverless",
    targetName,
    ...(targetProjectId !== undefined && { targetGroupId: targetProjectId }),
    ...(flags.has("replace-existing") && { replaceExisting: true }),
  });
  const ended = flags.has("wait") ? await untilEnded<ShownRestore>(call, `${path}/${started.id}`) : started;
  output.result(ended, () => [
    `restore ${ended.id} to ${targetName} is ${ended.status}${ended.failureReason === undefined ? "" : `: ${ended.failureReason}`}`,
  ]);
  return ended.status === "failed" ? exitCodes.failed : exitCodes.ok;
}
