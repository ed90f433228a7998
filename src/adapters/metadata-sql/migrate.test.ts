import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, test, type TestContext } from "node:test";
import { Kysely } from "kysely";
import { createFakeClock } from "../../../test/support/fake-clock.ts";
import { migrate, migrations, type Migration } from "./migrate.ts";
import { nodeSqliteDialect, oneAtATime, sqliteColumnTypes } from "./node-sqlite.ts";
import type { Schema } from "./schema.ts";
import { createSqliteMetadata } from "./sqlite-metadata.ts";

function openEmpty(context: TestContext): { raw: DatabaseSync; database: Kysely<Schema> } {
  const raw = new DatabaseSync(":memory:");
  context.after(() => raw.close());
  return { raw, database: new Kysely<Schema>({ dialect: nodeSqliteDialect(raw, oneAtATime()) }) };
}

const step = (name: string, ...statements: string[]): Migration => ({ name, statements: () => statements });

describe("migrations", () => {
  test("steps are applied once, in order, and dated", async (context) => {
    const { raw, database } = openEmpty(context);
    const first = step("one", "CREATE TABLE a (x)");
    await migrate(database, sqliteColumnTypes, 7, [first]);
    await migrate(database, sqliteColumnTypes, 8, [first, step("two", "ALTER TABLE a ADD COLUMN y")]);
    await migrate(database, sqliteColumnTypes, 9, [first, step("two", "ALTER TABLE a ADD COLUMN y")]);
    const applied = raw.prepare("SELECT * FROM schema_migrations ORDER BY version").all();
    assert.deepEqual(
      applied.map((row) => ({ ...row })),
      [
        { version: 1, name: "one", applied_at_ms: 7 },
        { version: 2, name: "two", applied_at_ms: 8 },
      ],
    );
    raw.exec("INSERT INTO a (x, y) VALUES (1, 2)");
  });

  test("a step that fails in the middle leaves nothing of itself", async (context) => {
    const { raw, database } = openEmpty(context);
    const broken = step("broken", "CREATE TABLE a (x)", "CREATE TABLE a (x)");
    await assert.rejects(migrate(database, sqliteColumnTypes, undefined, [broken]), /already exists/);
    assert.equal(raw.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'a'").get(), undefined);
    await migrate(database, sqliteColumnTypes, undefined, [step("mended", "CREATE TABLE a (x)")]);
  });

  test("a database of a newer version is refused with both versions in the message, and stays as it is", async (context) => {
    const folder = mkdtempSync(join(tmpdir(), "telamon-migrate-"));
    context.after(() => rmSync(folder, { recursive: true, force: true }));
    const path = join(folder, "metadata.sqlite");
    await (await createSqliteMetadata({ path, clock: createFakeClock() })).close();
    const raw = new DatabaseSync(path);
    raw.exec(`INSERT INTO schema_migrations (version, name) VALUES (${migrations.length + 1}, 'from the future')`);
    raw.close();
    const message = new RegExp(`schema version ${migrations.length + 1}, but .* knows only ${migrations.length}`);
    await assert.rejects(createSqliteMetadata({ path }), message);
    await assert.rejects(createSqliteMetadata({ path }), message, "the refusal gave its hold back");
  });
});
