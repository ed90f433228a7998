import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { describe, test } from "node:test";
import { createMemoryBlobStore } from "../../src/adapters/blob-memory/memory-blob-store.ts";
import { openBackupStore } from "../../src/backup-store/index.ts";
import type { CataloguedSnapshot } from "../../src/ports/snapshot-repository.ts";
import { deployment, project } from "../support/records.ts";
import { goldenCollections, goldenKey, goldenPassphrase, goldenSnapshots } from "./golden/golden-content.ts";

const folder = join(import.meta.dirname, "golden");
const repositories = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());

/** A copy of a repository's objects, so that nothing can be written to the repository itself. */
function copyOf(root: string): Map<string, Buffer> {
  const files = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return new Map(
    files.map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return [relative(root, path).split(sep).join("/"), readFileSync(path)];
    }),
  );
}

describe("golden repositories", () => {
  test("there are some", () => assert.ok(repositories.length > 0));

  for (const { name } of repositories)
    for (const [kind, secret] of [
      ["key", goldenKey],
      ["passphrase", goldenPassphrase],
    ] as const)
      test(`${name} opens with its ${kind}, and every snapshot, collection and record is what was stored`, async () => {
        const store = await openBackupStore({
          blobs: createMemoryBlobStore(copyOf(join(folder, name))),
          secret,
          randomBytes,
        });
        const records: CataloguedSnapshot[] = [];
        for await (const record of store.catalogued((key, error) => assert.fail(`${key}: ${String(error)}`)))
          records.push(record);
        assert.deepEqual(records.map(({ snapshot }) => snapshot.id).toSorted(), [...goldenSnapshots]);
        for (const which of [0, 1] as const) {
          const record = records.find(({ snapshot }) => snapshot.id === goldenSnapshots[which]);
          assert.deepEqual(
            [record?.project.name, record?.deployment.name, record?.snapshot.status],
            [project().name, deployment().name, "completed"],
          );
          const reader = await store.open(record?.snapshot.manifestKey ?? "");
          await reader.verify();
          assert.equal(reader.facts.clusterTime?.seconds, 1_767_225_600 + which);
          const expected = goldenCollections(which);
          assert.equal(reader.collections.length, expected.length);
          for (const [index, { description, documents }] of expected.entries()) {
            const { documentCount, dataSizeBytes, ...stored } = reader.collections[index] ?? assert.fail();
            const plain = (one: typeof description): object => ({
              ...one,
              uuid: one.uuid === undefined ? undefined : Buffer.from(one.uuid).toString("hex"),
              options: Buffer.from(one.options).toString("hex"),
              indexes: one.indexes.map((bytes) => Buffer.from(bytes).toString("hex")),
            });
            const { database, name: collection, type, uuid, options, indexes } = stored;
            assert.deepEqual(
              plain({ database, name: collection, type, options, indexes, ...(uuid && { uuid }) }),
              plain(description),
            );
            const parts: Uint8Array[] = [];
            for await (const piece of reader.documents(database, collection)) parts.push(piece);
            assert.ok(Buffer.concat(parts).equals(documents), `${database}.${collection}`);
            assert.equal(dataSizeBytes, documents.length);
            assert.ok(documentCount > 0 || documents.length === 0);
          }
        }
      });
});
