import type { DatabaseRole } from "../../ports/database-user-directory.ts";
import type {
  DatabaseUserRecord,
  DatabaseUserRecords,
  DatabaseUserScope,
} from "../../ports/metadata/database-user-records.ts";
import { MetadataConflict } from "../../ports/metadata/project-records.ts";
import { pageOffset } from "../../shared/page.ts";
import type { Connections } from "./connections.ts";
import { pageOf } from "./paging.ts";
import { prepared } from "./prepared-query.ts";
import { listFrom, optional, wrote } from "./row-values.ts";
import type { DatabaseUserRow } from "./schema.ts";

const findUser = prepared<{ projectId: string; databaseName: string; username: string }>()((database, value) =>
  database
    .selectFrom("database_users")
    .selectAll()
    .where("project_id", "=", value("projectId"))
    .where("database_name", "=", value("databaseName"))
    .where("username", "=", value("username")),
);

const countOfProject = prepared<{ projectId: string }>()((database, value) =>
  database
    .selectFrom("database_users")
    .select((builder) => builder.fn.countAll<number>().as("total"))
    .where("project_id", "=", value("projectId")),
);

export function databaseUserRecords({ read, write }: Connections): DatabaseUserRecords {
  const count = async (projectId: string): Promise<number> =>
    Number((await countOfProject(read, { projectId })).rows[0]?.total ?? 0);
  return {
    insert: async (user) => {
      const result = await write
        .insertInto("database_users")
        .values(fromUser(user))
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirstOrThrow();
      if (!wrote(result)) {
        throw new MetadataConflict(`The project has a database user named ${user.username}.`);
      }
    },
    find: async (projectId, databaseName, username) => {
      const row = (await findUser(read, { projectId, databaseName, username })).rows[0];
      return row === undefined ? undefined : toUser(row);
    },
    page: async (projectId, page) => {
      const rows = await read
        .selectFrom("database_users")
        .selectAll()
        .where("project_id", "=", projectId)
        .orderBy("database_name")
        .orderBy("username")
        .limit(page.itemsPerPage + 1)
        .offset(pageOffset(page))
        .execute();
      return pageOf(rows, page, page.includeCount ? await count(projectId) : 0, toUser);
    },
    count,
    update: async (user) => {
      const { project_id: projectId, database_name: databaseName, username, ...columns } = fromUser(user);
      await write
        .updateTable("database_users")
        .set(columns)
        .where("project_id", "=", projectId)
        .where("database_name", "=", databaseName)
        .where("username", "=", username)
        .execute();
    },
    delete: async (projectId, databaseName, username) => {
      const result = await write
        .deleteFrom("database_users")
        .where("project_id", "=", projectId)
        .where("database_name", "=", databaseName)
        .where("username", "=", username)
        .executeTakeFirstOrThrow();
      return result.numDeletedRows > 0n;
    },
    deleteExpired: async (nowMs) => {
      const result = await write
        .deleteFrom("database_users")
        .where("delete_after_ms", "<=", nowMs)
        .executeTakeFirstOrThrow();
      return Number(result.numDeletedRows);
    },
  };
}

function fromUser(user: DatabaseUserRecord): DatabaseUserRow {
  return {
    project_id: user.projectId,
    database_name: user.databaseName,
    username: user.username,
    salt: user.credential.salt,
    iteration_count: user.credential.iterationCount,
    stored_key: user.credential.storedKey,
    server_key: user.credential.serverKey,
    roles: JSON.stringify(user.roles),
    scopes: JSON.stringify(user.scopes),
    labels: JSON.stringify(user.labels),
    description: user.description ?? null,
    delete_after_ms: user.deleteAfterMs ?? null,
    created_at_ms: user.createdAtMs,
  };
}

function toUser(row: DatabaseUserRow): DatabaseUserRecord {
  return {
    projectId: row.project_id,
    databaseName: row.database_name,
    username: row.username,
    credential: {
      salt: row.salt,
      iterationCount: row.iteration_count,
      storedKey: row.stored_key,
      serverKey: row.server_key,
    },
    roles: listFrom<DatabaseRole>(row.roles) ?? [],
    scopes: listFrom<DatabaseUserScope>(row.scopes) ?? [],
    labels: listFrom<DatabaseUserRecord["labels"][number]>(row.labels) ?? [],
    description: optional(row.description),
    deleteAfterMs: optional(row.delete_after_ms),
    createdAtMs: row.created_at_ms,
  };
}
