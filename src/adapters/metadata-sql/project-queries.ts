import { sql, type Kysely } from "kysely";
import {
  MetadataConflict,
  type OrganizationRecord,
  type OrganizationRecords,
  type ProjectRecord,
  type ProjectRecords,
  type Tag,
} from "../../ports/metadata/project-records.ts";
import { pageOffset } from "../../shared/page.ts";
import type { Connections } from "./connections.ts";
import { pageOf } from "./paging.ts";
import { prepared } from "./prepared-query.ts";
import { flag, listFrom, listText, wrote } from "./row-values.ts";
import type { OrganizationRow, ProjectRow, Schema } from "./schema.ts";

const findOrganization = prepared<{ id: string }>()((database, value) =>
  database.selectFrom("organizations").selectAll().where("id", "=", value("id")),
);

const findProject = prepared<{ id: string }>()((database, value) =>
  database.selectFrom("projects").selectAll().where("id", "=", value("id")),
);

const findProjectByName = prepared<{ organizationId: string; name: string }>()((database, value) =>
  database
    .selectFrom("projects")
    .selectAll()
    .where("organization_id", "=", value("organizationId"))
    .where("name", "=", value("name")),
);

export function organizationRecords({ read, write }: Connections): OrganizationRecords {
  return {
    insert: async (organization) => {
      await write
        .insertInto("organizations")
        .values({ id: organization.id, name: organization.name, created_at_ms: organization.createdAtMs })
        .execute();
    },
    find: async (id) => {
      const row = (await findOrganization(read, { id })).rows[0];
      return row === undefined ? undefined : toOrganization(row);
    },
    ids: async () => (await read.selectFrom("organizations").select("id").execute()).map(({ id }) => id),
    any: async () => (await read.selectFrom("organizations").select("id").limit(1).execute()).length > 0,
  };
}

export function projectRecords({ read, write }: Connections): ProjectRecords {
  return {
    insert: async (project) => {
      const result = await write
        .insertInto("projects")
        .values(fromProject(project))
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirstOrThrow();
      if (!wrote(result)) {
        throw new MetadataConflict(`The organization has a project named ${project.name}.`);
      }
    },
    find: async (id) => {
      const row = (await findProject(read, { id })).rows[0];
      return row === undefined ? undefined : toProject(row);
    },
    findByName: async (organizationId, name) => {
      const row = (await findProjectByName(read, { organizationId, name })).rows[0];
      return row === undefined ? undefined : toProject(row);
    },
    countOf: async (organizationId) => {
      const row = await read
        .selectFrom("projects")
        .select((builder) => builder.fn.countAll<number>().as("total"))
        .where("organization_id", "=", organizationId)
        .executeTakeFirstOrThrow();
      return Number(row.total);
    },
    page: async (visible, page) => {
      const matching = visibleProjects(read, visible.organizationIds, visible.projectIds);
      const rows = await matching
        .selectAll()
        .orderBy("name")
        .orderBy("id")
        .limit(page.itemsPerPage + 1)
        .offset(pageOffset(page))
        .execute();
      let totalCount = 0;
      if (page.includeCount) {
        const row = await matching
          .select((builder) => builder.fn.countAll<number>().as("total"))
          .executeTakeFirstOrThrow();
        totalCount = Number(row.total);
      }
      return pageOf(rows, page, totalCount, toProject);
    },
  };
}

function visibleProjects(database: Kysely<Schema>, organizationIds: readonly string[], projectIds: readonly string[]) {
  return database.selectFrom("projects").where((builder) =>
    builder.or([
      // An empty IN list is an error in PostgreSQL.
      organizationIds.length === 0 ? sql<boolean>`1 = 0` : builder("organization_id", "in", organizationIds),
      projectIds.length === 0 ? sql<boolean>`1 = 0` : builder("id", "in", projectIds),
    ]),
  );
}

function toOrganization(row: OrganizationRow): OrganizationRecord {
  return { id: row.id, name: row.name, createdAtMs: row.created_at_ms };
}

function fromProject(project: ProjectRecord): ProjectRow {
  return {
    id: project.id,
    organization_id: project.organizationId,
    name: project.name,
    created_at_ms: project.createdAtMs,
    tags: listText(project.tags),
    with_default_alerts_settings: flag(project.withDefaultAlertsSettings),
  };
}

function toProject(row: ProjectRow): ProjectRecord {
  return {
    id: row.id,
    organizationId: row.organization_id,
    name: row.name,
    createdAtMs: row.created_at_ms,
    tags: listFrom<Tag>(row.tags),
    withDefaultAlertsSettings: row.with_default_alerts_settings === 1,
  };
}
