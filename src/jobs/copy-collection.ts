import type { Log } from "../ports/log.ts";
import {
  type CollectionDescription,
  IncrementRefused,
  type SnapshotFacts,
  type SnapshotWriter,
  type WrittenCollection,
} from "../ports/snapshot-repository.ts";
import type { SourceReading } from "../ports/snapshot-source.ts";
import type { IncrementPlan } from "./increment-plan.ts";

export interface CopyParts {
  readonly reading: SourceReading;
  readonly writer: SnapshotWriter;
  readonly plan: IncrementPlan;
  readonly log: Log;
  /** For the log: the snapshot's id and such. */
  readonly about: object;
}

/** What became of a collection: made of the snapshot before and the log, or read whole; and whether both were the same, when both were made. */
export interface CopiedCollection {
  readonly byLog: boolean;
  readonly check: "equal" | "different" | undefined;
}

/** Called with the bytes that were read from the source. */
export type OnRead = (sizeBytes: number) => Promise<void>;

const readWhole = "a collection is read whole";

/** Copies a collection into the snapshot as planned; where that turns out to be impossible, all of it. */
export async function copyCollection(
  parts: CopyParts,
  description: CollectionDescription,
  onRead: OnRead,
): Promise<CopiedCollection> {
  const { database, name, type } = description;
  // Its documents stand in buckets of another collection: without them the snapshot would look whole and not be.
  if (type === "timeseries")
    throw new Error(
      `The time series collection ${database}.${name} cannot be backed up: time series are not supported yet.`,
    );
  const changed = parts.plan.changesOf(description);
  if (parts.plan.way === "log" && "ids" in changed) {
    const isWritten = await unlessRefused(parts, description, async () => {
      await parts.writer.writeIncrement(description, changesOf(parts, description, changed.ids, onRead));
      return true;
    });
    if (isWritten === true) return { byLog: true, check: undefined };
  }
  if (parts.plan.way !== "read" && type === "collection" && "unknown" in changed)
    parts.log.debug({ ...parts.about, collection: `${database}.${name}`, reason: changed.unknown }, readWhole);
  const foreseen =
    parts.plan.way === "check" && "ids" in changed
      ? await unlessRefused(parts, description, () =>
          parts.writer.foreseeIncrement(description, changesOf(parts, description, changed.ids, onRead)),
        )
      : undefined;
  const written = await copyWhole(parts, description, foreseen !== undefined, onRead);
  return { byLog: false, check: foreseen === undefined ? undefined : compare(parts, description, foreseen, written) };
}

/** What is kept with the snapshot of how its collections came into it. */
export function incrementFacts(
  parent: SnapshotFacts | undefined,
  copied: readonly CopiedCollection[],
): Pick<SnapshotFacts, "incrementsInARow" | "incrementCheck"> {
  const checks = new Set(copied.map(({ check }) => check));
  return {
    ...(copied.some(({ byLog }) => byLog) ? { incrementsInARow: (parent?.incrementsInARow ?? 0) + 1 } : {}),
    ...(checks.has("different") ? { incrementCheck: "different" as const } : {}),
    ...(!checks.has("different") && checks.has("equal") ? { incrementCheck: "equal" as const } : {}),
  };
}

async function copyWhole(
  { reading, writer }: CopyParts,
  description: CollectionDescription,
  fingerprint: boolean,
  onRead: OnRead,
): Promise<WrittenCollection> {
  const collection = await writer.beginCollection(description, { fingerprint });
  if (description.type === "collection") {
    for await (const documents of reading.documents(description.database, description.name)) {
      await collection.write(documents);
      await onRead(documents.length);
    }
  }
  return collection.end();
}

function changesOf(
  { reading }: CopyParts,
  { database, name }: CollectionDescription,
  ids: readonly Uint8Array[],
  onRead: OnRead,
) {
  const { documents } = reading.changedDocuments(database, name, ids);
  return { ids, documents: told(documents, onRead) };
}

async function* told(documents: AsyncIterable<Uint8Array>, onRead: OnRead): AsyncGenerator<Uint8Array> {
  for await (const piece of documents) {
    await onRead(piece.length);
    yield piece;
  }
}

async function unlessRefused<Result>(
  { log, about }: CopyParts,
  { database, name }: CollectionDescription,
  make: () => Promise<Result>,
): Promise<Result | undefined> {
  try {
    return await make();
  } catch (error) {
    if (!(error instanceof IncrementRefused)) throw error;
    log.info({ ...about, collection: `${database}.${name}`, reason: error.message }, readWhole);
    return undefined;
  }
}

function compare(
  { log, about }: CopyParts,
  { database, name }: CollectionDescription,
  foreseen: WrittenCollection,
  written: WrittenCollection,
): "equal" | "different" {
  const isSame =
    foreseen.documentCount === written.documentCount &&
    foreseen.dataSizeBytes === written.dataSizeBytes &&
    foreseen.fingerprint !== undefined &&
    written.fingerprint !== undefined &&
    Buffer.from(foreseen.fingerprint).equals(written.fingerprint);
  if (isSame) return "equal";
  log.error(
    {
      ...about,
      collection: `${database}.${name}`,
      documentCount: written.documentCount,
      documentCountByLog: foreseen.documentCount,
      dataSizeBytes: written.dataSizeBytes,
      dataSizeBytesByLog: foreseen.dataSizeBytes,
    },
    "what the operation log told is not what the source holds; the snapshot holds what was read, but those made of the log since the last check may be wrong",
  );
  return "different";
}
