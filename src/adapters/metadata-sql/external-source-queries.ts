import type { Selectable } from "kysely";
import type {
  ExternalSourceRecord,
  ExternalSourceRecords,
  ProbeRecord,
} from "../../ports/metadata/external-source-records.ts";
import type { Connections } from "./connections.ts";
import { listFrom, optional } from "./row-values.ts";
import type { ExternalSourceRow } from "./schema.ts";

export function externalSourceRecords({ read, write }: Connections): ExternalSourceRecords {
  return {
    insert: async (source) => {
      await write
        .insertInto("external_sources")
        .values({
          deployment_id: source.deploymentId,
          sealed_connection_string: source.sealedConnectionString ?? null,
          hosts: JSON.stringify(source.hosts),
          replaced_at_ms: source.replacedAtMs,
          probe: probeText(source.probe),
        })
        .execute();
    },
    find: async (deploymentId) => {
      const row = await read
        .selectFrom("external_sources")
        .selectAll()
        .where("deployment_id", "=", deploymentId)
        .executeTakeFirst();
      return row === undefined ? undefined : toExternalSource(row);
    },
    update: async (deploymentId, changes) => {
      const columns = {
        ...("sealedConnectionString" in changes && {
          sealed_connection_string: changes.sealedConnectionString ?? null,
        }),
        ...(changes.hosts !== undefined && { hosts: JSON.stringify(changes.hosts) }),
        ...(changes.replacedAtMs !== undefined && { replaced_at_ms: changes.replacedAtMs }),
        ...("probe" in changes && { probe: probeText(changes.probe) }),
      };
      if (Object.keys(columns).length === 0) return;
      await write.updateTable("external_sources").set(columns).where("deployment_id", "=", deploymentId).execute();
    },
  };
}

function probeText(probe: ProbeRecord | undefined): string | null {
  return probe === undefined ? null : JSON.stringify(probe);
}

function toExternalSource(row: Selectable<ExternalSourceRow>): ExternalSourceRecord {
  return {
    deploymentId: row.deployment_id,
    sealedConnectionString: optional(row.sealed_connection_string),
    hosts: listFrom<string>(row.hosts) ?? [],
    replacedAtMs: row.replaced_at_ms,
    probe: row.probe === null ? undefined : (JSON.parse(row.probe) as ProbeRecord),
  };
}
