// Writes the golden repository of this version: node test/store/golden/make-golden.ts <name>. One that is there is never written again.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { createFileBlobStore } from "../../../src/adapters/blob-file-system/file-blob-store.ts";
import { openBackupStore } from "../../../src/backup-store/index.ts";
import { deployment, organizationId, project, snapshot } from "../../support/records.ts";
import { goldenBytes, goldenCollections, goldenKey, goldenPassphrase, goldenSnapshots } from "./golden-content.ts";

const name = process.argv[2];
if (name === undefined || !/^[a-z0-9.-]+$/.test(name))
  throw new Error("give the name of the repository, such as 0.1.0");
const root = join(import.meta.dirname, name);
if (existsSync(root)) throw new Error(`${root} is there already, and golden repositories are never written again`);

let drawn = 0;
const randomBytes = (length: number): Uint8Array => goldenBytes(`random ${(drawn += 1)}`, length);
const blobs = await createFileBlobStore({ root, randomBytes });
const store = await openBackupStore({ blobs, secret: goldenKey, secretLabel: "golden key", randomBytes });
await store.keySlots.add(goldenPassphrase, "golden passphrase");
let parentManifestKey: string | undefined;
for (const which of [0, 1] as const) {
  const snapshotId = goldenSnapshots[which];
  const writer = await store.begin({
    lineageId: deployment().id,
    snapshotId,
    ...(parentManifestKey === undefined ? {} : { parentManifestKey }),
  });
  for (const { description, documents } of goldenCollections(which)) {
    const collection = await writer.beginCollection(description);
    await collection.write(documents);
    await collection.end();
  }
  const committed = await writer.commit({
    consistency: "exact",
    clusterTime: { seconds: 1_767_225_600 + which, increment: 1 },
    serverVersion: "7.0.0",
    capturedAtMs: 1_767_225_600_000 + which,
  });
  parentManifestKey = committed.manifestKey;
  await store.catalogue({
    revision: 0,
    organization: { id: organizationId, name: "Golden", createdAtMs: 1 },
    project: project(),
    deployment: deployment(),
    snapshot: { ...snapshot(snapshotId, { manifestKey: committed.manifestKey }), sequence: which + 1 },
  });
}
