import { exitCodes } from "../../exit-codes.ts";
import { numberFlag } from "../command.ts";
import { sizeText } from "../output.ts";
import { untilEnded } from "../until-ended.ts";
import type { Call } from "./call.ts";
import type { ShownSnapshot } from "./shown-deployment.ts";

/** Takes a snapshot now; with `--wait` answers when it has ended, and fails when it failed. */
export async function snapshot(call: Call): Promise<number> {
  const { api, path, flags, output } = call;
  const description = flags.get("description");
  const asked = await api.call<ShownSnapshot>("POST", `${path}/snapshots`, {
    retentionInDays: numberFlag(flags, "retention-days", 7),
    ...(description !== undefined && { description }),
  });
  const taken = flags.has("wait") ? await untilEnded<ShownSnapshot>(call, `${path}/snapshots/${asked.id}`) : asked;
  output.result(taken, () => [
    taken.status === "completed"
      ? `${taken.id} is completed: ${taken.consistency}, ${sizeText(taken.storageSizeBytes)}`
      : `${taken.id} is ${taken.status}${taken.failureReason === undefined ? "" : `: ${taken.failureReason}`}`,
  ]);
  return taken.status === "failed" ? exitCodes.failed : exitCodes.ok;
}
