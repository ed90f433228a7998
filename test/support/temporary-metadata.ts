import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSqliteMetadata } from "../../src/adapters/metadata-sql/sqlite-metadata.ts";
import type { Metadata } from "../../src/ports/metadata/metadata.ts";

/** Metadata in a file that is gone with its closing. */
export async function openTemporaryMetadata(): Promise<{ readonly metadata: Metadata; close(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), "telamon-metadata-"));
  const metadata = await createSqliteMetadata({ path: join(folder, "metadata.sqlite") });
  return {
    metadata,
    close: async () => {
      await metadata.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
