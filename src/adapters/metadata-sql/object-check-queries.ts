import type { ObjectCheckRecords } from "../../ports/metadata/object-check-records.ts";
import { atomically, type Connections } from "./connections.ts";

/** Keys in one statement. */
const batch = 500;

export function objectCheckRecords(connections: Connections): ObjectCheckRecords {
  const { read, write } = connections;
  return {
    replaceWith: (objectKeys) =>
      atomically(connections, async (transaction) => {
        const rows = await transaction.selectFrom("object_checks").select("object_key").execute();
        const known = new Set(rows.map((row) => row.object_key));
        const added = [...objectKeys].filter((key) => !known.has(key));
        for (const keys of batches(added))
          await transaction
            .insertInto("object_checks")
            .values(keys.map((key) => ({ object_key: key, checked_at_ms: 0 })))
            .execute();
        for (const keys of batches([...known].filter((key) => !objectKeys.has(key))))
          await transaction.deleteFrom("object_checks").where("object_key", "in", keys).execute();
      }),
    leastRecent: async (limit) => {
      const rows = await read
        .selectFrom("object_checks")
        .selectAll()
        .orderBy("checked_at_ms")
        .orderBy("object_key")
        .limit(limit)
        .execute();
      return rows.map((row) => ({ objectKey: row.object_key, checkedAtMs: row.checked_at_ms }));
    },
    checked: async (objectKeys, atMs) => {
      for (const keys of batches([...objectKeys]))
        await write.updateTable("object_checks").set({ checked_at_ms: atMs }).where("object_key", "in", keys).execute();
    },
  };
}

function* batches(keys: readonly string[]): Generator<string[]> {
  for (let start = 0; start < keys.length; start += batch) yield keys.slice(start, start + batch);
}
