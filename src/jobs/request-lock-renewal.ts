import type { Ids } from "../ports/ids.ts";
import type { Metadata } from "../ports/metadata/metadata.ts";

/** Asks for the locks of everything to be looked at, unless that is asked for already. */
export async function requestLockRenewal(
  { metadata, ids }: { readonly metadata: Metadata; readonly ids: Ids },
  atMs: number,
): Promise<void> {
  await metadata.transaction(async ({ jobs }) => {
    if (await jobs.unfinishedOf("renewLocks")) return;
    await jobs.insert({
      id: ids.objectId(),
      kind: "renewLocks",
      subjectId: "store",
      exclusiveKey: "locks",
      runAtMs: atMs,
    });
  });
}
