import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { after, before, describe, test } from "node:test";
import { Kysely } from "kysely";
import { deploymentId, idOf } from "../../../test/support/records.ts";
import type { AccessRecords } from "../../ports/metadata/access-records.ts";
import type { DatabaseUserRecords } from "../../ports/metadata/database-user-records.ts";
import type { DeploymentRecords } from "../../ports/metadata/deployment-records.ts";
import type { RestoreJobRecords } from "../../ports/metadata/restore-job-records.ts";
import type { SnapshotRecords } from "../../ports/metadata/snapshot-records.ts";
import { accessRecords } from "./access-queries.ts";
import { databaseUserRecords } from "./database-user-queries.ts";
import { externalSourceRecords } from "./external-source-queries.ts";
import type { ExternalSourceRecords } from "../../ports/metadata/external-source-records.ts";
import { deploymentRecords } from "./deployment-queries.ts";
import { migrate } from "./migrate.ts";
import { nodeSqliteDialect, noTurns, sqliteColumnTypes } from "./node-sqlite.ts";
import { restoreJobRecords } from "./restore-job-queries.ts";
import type { Schema } from "./schema.ts";
import { snapshotRecords } from "./snapshot-queries.ts";

const page = { pageNumber: 1, itemsPerPage: 10, includeCount: true };

describe("query plans", () => {
  const raw = new DatabaseSync(":memory:");
  const texts: string[] = [];
  let snapshots: SnapshotRecords;
  let restoreJobs: RestoreJobRecords;
  let deployments: DeploymentRecords;
  let externalSources: ExternalSourceRecords;
  let databaseUsers: DatabaseUserRecords;
  let access: AccessRecords;

  before(async () => {
    await migrate(new Kysely<Schema>({ dialect: nodeSqliteDialect(raw, noTurns()) }), sqliteColumnTypes, undefined);
    const database = new Kysely<Schema>({ dialect: nodeSqliteDialect(recording(raw, texts), noTurns()) });
    const connections = { read: database, write: database };
    snapshots = snapshotRecords(connections);
    restoreJobs = restoreJobRecords(connections);
    deployments = deploymentRecords(connections);
    externalSources = externalSourceRecords(connections);
    databaseUsers = databaseUserRecords(connections);
    access = accessRecords(connections);
  });
  after(() => raw.close());

  /** How SQLite goes about the queries of one call. */
  const plansOf = async (call: () => Promise<unknown>): Promise<readonly string[]> => {
    texts.length = 0;
    await call();
    assert.notEqual(texts.length, 0, "the call was to run a query that was not prepared before");
    return texts.flatMap((text) => {
      const values = Array.from(text.matchAll(/\?/g), () => null);
      const steps = raw.prepare(`EXPLAIN QUERY PLAN ${text}`).all(...values) as unknown as readonly {
        detail: string;
      }[];
      return steps.map((step) => step.detail);
    });
  };

  test("what the scheduler asks of a deployment does not walk over its snapshots", async () => {
    const unfinished =
      "SEARCH snapshots USING COVERING INDEX snapshots_unfinished (deployment_id=? AND snapshot_type=? AND status=?)";
    assert.deepEqual(await plansOf(() => snapshots.hasUnfinishedOnDemand(deploymentId)), [unfinished]);
    assert.deepEqual(await plansOf(() => deployments.dueForSnapshot(1, 1)), [
      "SEARCH deployments USING INDEX deployments_by_next_snapshot (next_snapshot_at_ms<?)",
    ]);
  });

  test("what retention asks for is found by its time, without sorting, and the newer ones by their number", async () => {
    assert.deepEqual(await plansOf(() => snapshots.expired(1, 1)), [
      "SEARCH snapshots USING INDEX snapshots_by_expiry (expires_at_ms<?)",
      "CORRELATED SCALAR SUBQUERY 2",
      "CO-ROUTINE good",
      "SEARCH newer USING PRIMARY KEY (deployment_id=? AND sequence>?)",
      "SCAN good",
      "CORRELATED SCALAR SUBQUERY 3",
      "SEARCH restore_jobs USING INDEX restore_jobs_unfinished_by_snapshot (snapshot_id=?)",
    ]);
  });

  test("holds, trials and what the store is to be told are found without a walk over all snapshots", async () => {
    const calls: readonly [() => Promise<unknown>, RegExp][] = [
      [() => snapshots.anyHeld(deploymentId), /^SEARCH snapshots USING COVERING INDEX snapshots_held/],
      [() => snapshots.catalogueDue(1), /^(SCAN|SEARCH) snapshots USING INDEX snapshots_catalogue_due/],
      [() => snapshots.lastDrills(), /^SCAN snapshots USING (COVERING )?INDEX snapshots_drilled/],
      [() => snapshots.careCounts(), /^SCAN snapshots USING (COVERING )?INDEX snapshots_(held|drilled)/],
      [
        () => snapshots.scheduledAfter(deploymentId, 1, 1),
        /^SEARCH snapshots USING PRIMARY KEY \(deployment_id=\? AND sequence>\?\)/,
      ],
      [
        () => snapshots.completedBefore(deploymentId, 1, 1),
        /^SEARCH snapshots USING PRIMARY KEY \(deployment_id=\? AND sequence<\?\)/,
      ],
    ];
    for (const [call, expected] of calls) for (const step of await plansOf(call)) assert.match(step, expected);
  });

  test("no query of a request or of a login reads a whole table", async () => {
    const calls: readonly (() => Promise<unknown>)[] = [
      () => access.findToken(Uint8Array.of(1)),
      () => access.findApiKeyByPublicKey("abcdefgh"),
      () => access.findServiceAccount("mdb_sa_id_"),
      () => access.countTokens("mdb_sa_id_", 1),
      () => access.deleteExpiredTokens(1),
      () => deployments.findByName(idOf(1), "Instance0"),
      () => deployments.page(idOf(1), "serverless", page),
      () => deployments.names(idOf(1)),
      () => externalSources.find(idOf(1)),
      () => databaseUsers.find(idOf(1), "admin", "alice"),
      () => databaseUsers.page(idOf(1), page),
      () => databaseUsers.deleteExpired(1),
      () => snapshots.find(deploymentId, idOf(1)),
      () => restoreJobs.find(deploymentId, idOf(1)),
      () => restoreJobs.page(deploymentId, page),
      () => restoreJobs.findUnfinishedFor(deploymentId),
      () => restoreJobs.unfinishedNeeds(idOf(1)),
    ];
    for (const call of calls) {
      const plan = await plansOf(call);
      assert.deepEqual(
        plan.filter((step) => step.startsWith("SCAN") || step.includes("TEMP B-TREE")),
        [],
        call.toString(),
      );
    }
  });
});

/** The same connection, which notes the text of what it prepares. */
function recording(database: DatabaseSync, texts: string[]): DatabaseSync {
  return new Proxy(database, {
    get: (target, name) =>
      name === "prepare"
        ? (sql: string) => {
            texts.push(sql);
            return target.prepare(sql);
          }
        : Reflect.get(target, name),
  });
}
