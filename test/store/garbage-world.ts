import { createHash } from "node:crypto";
import { serialize } from "bson";
import type { BackupStore } from "../../src/backup-store/index.ts";
import type { SnapshotRecord } from "../../src/ports/metadata/snapshot-records.ts";
import type { GarbageReport, GarbageRequest } from "../../src/ports/snapshot-repository.ts";
import { deployment, organizationId, project, snapshot } from "../support/records.ts";

export const graceMs = 1000;
export const idOf = (letter: string): string => letter.repeat(24);

export function documents(count: number, round: number, isChanged: (position: number) => boolean): Buffer {
  return Buffer.concat(
    Array.from({ length: count }, (_, position) =>
      serialize({
        _id: position,
        round: isChanged(position) ? round : 0,
        noise: createHash("shake256", { outputLength: 300 }).update(String(position)).digest(),
      }),
    ),
  );
}

export async function take(store: BackupStore, letter: string, content: Buffer, parent?: string): Promise<string> {
  const writer = await store.begin({
    lineageId: "l",
    snapshotId: idOf(letter),
    ...(parent === undefined ? {} : { parentManifestKey: parent }),
  });
  const options = Uint8Array.of(5, 0, 0, 0, 0);
  const collection = await writer.beginCollection({
    database: "shop",
    name: "orders",
    type: "collection",
    options,
    indexes: [],
  });
  await collection.write(content);
  await collection.end();
  const { manifestKey } = await writer.commit({ consistency: "exact", serverVersion: "7.0.0", capturedAtMs: 1 });
  await record(store, letter, manifestKey, 0);
  return manifestKey;
}

/** The record of a snapshot that was taken so, in one more revision. */
export function record(
  store: BackupStore,
  letter: string,
  manifestKey: string,
  revision: number,
  changes: Partial<SnapshotRecord> = {},
): Promise<void> {
  return store.catalogue({
    revision,
    organization: { id: organizationId, name: "Organization", createdAtMs: 1 },
    project: project(),
    deployment: deployment(),
    snapshot: { ...snapshot(idOf(letter), { manifestKey, ...changes }), sequence: 1 },
  });
}

export async function restored(store: BackupStore, manifestKey: string): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const piece of (await store.open(manifestKey)).documents("shop", "orders")) parts.push(piece);
  return Buffer.concat(parts);
}

export function collect(
  store: BackupStore,
  live: readonly string[],
  nowMs: number,
  changes: Partial<GarbageRequest> = {},
): Promise<GarbageReport> {
  return store.collectGarbage({
    liveManifestKeys: async () => new Set(live),
    snapshotIdsInProgress: async () => new Set(),
    neverKnown: async () => new Set(),
    nowMs,
    graceMs,
    ...changes,
  });
}
