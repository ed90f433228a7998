import type { Ids } from "../ports/ids.ts";
import type { Metadata } from "../ports/metadata/metadata.ts";

export const scrubIntervalMs = 86_400_000;

/** Asks for stored objects to be checked at a time, unless that is asked for already. */
export async function requestScrub(
  { metadata, ids }: { readonly metadata: Metadata; readonly ids: Ids },
  atMs: number,
): Promise<void> {
  await metadata.transaction(async ({ jobs }) => {
    if (await jobs.unfinishedOf("scrub")) return;
    await jobs.insert({ id: ids.objectId(), kind: "scrub", subjectId: "store", exclusiveKey: "scrub", runAtMs: atMs });
  });
}
