import { bsonType, int64Value, objectValue, Value } from "../engine/index.ts";
import type { Reply, ServerFacts } from "./define-command.ts";

/** The set never changes while the server runs, so its version is one for each run. */
export function topologyVersionOf({ processId }: Pick<ServerFacts, "processId">): Value {
  return objectValue([
    ["processId", new Value(bsonType.objectId, processId)],
    ["counter", int64Value(0n)],
  ]);
}

/** Codes that tell drivers of another primary, or of the server's end. */
const ofTopology: ReadonlySet<number> = new Set([91, 189, 10_058, 10_107, 11_600, 11_602, 13_435, 13_436]);

/** `topologyVersion` beside an error of that kind, by which drivers know it from one that is outdated (driver specifications, "Server Discovery And Monitoring"). */
export function topologyVersionField(code: number | undefined, server: ServerFacts): Reply {
  return code !== undefined && ofTopology.has(code) ? [["topologyVersion", topologyVersionOf(server)]] : [];
}
