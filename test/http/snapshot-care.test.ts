import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type ApiWorld, createApiWorld } from "../support/api-world.ts";
import { deployment, idOf, snapshot } from "../support/records.ts";

const facts = { consistency: "exact", serverVersion: "8.0.0", capturedAtMs: 0 } as const;

describe("holds and trials over the API", () => {
  let world: ApiWorld;
  let path: string;
  before(async () => {
    world = await createApiWorld();
    await world.metadata.deployments.insert(deployment({ projectId: world.projectId }));
    await world.metadata.snapshots.insert(snapshot(idOf(1), { policyItemIds: [idOf(7)] }));
    await world.metadata.snapshots.insert(snapshot(idOf(2)));
    path = `/api/telamon/v1/groups/${world.projectId}/deployments/Instance0/snapshots`;
  });
  after(() => world.close());

  const ask = (method: string, tail: string, body?: object) =>
    world.request(method, path + tail, {
      as: world.owner,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });

  test("a snapshot shows what keeps and proves it", async () => {
    const { status, json } = await ask("GET", `/${idOf(1)}`);
    assert.equal(status, 200);
    assert.deepEqual(json, {
      addedSizeBytes: 1024,
      clusterTime: { increment: 3, seconds: 1_767_225_601 },
      completedAt: "2026-01-01T00:00:02Z",
      consistency: "exact",
      createdAt: "2026-01-01T00:00:01Z",
      deploymentName: "Instance0",
      expiresAt: "2026-01-04T00:00:02Z",
      frequencyType: "hourly",
      id: idOf(1),
      links: [{ href: `${world.baseUrl}${path}/${idOf(1)}`, rel: "self" }],
      mongodVersion: "7.0.0",
      newestKept: 1,
      policyItemIds: [idOf(7)],
      restorability: { underWay: false },
      snapshotType: "scheduled",
      status: "completed",
      storageSizeBytes: 4096,
    });
    const list = await ask("GET", "?itemsPerPage=1");
    assert.deepEqual([list.status, list.json.totalCount], [200, 2]);
    assert.equal((list.json.results as { id: string }[])[0]?.id, idOf(2));
  });

  test("a hold needs a reason, names who asked, and is given back when it is let go of", async () => {
    for (const body of [{}, { reason: "" }, { reason: "x".repeat(1001) }, { reason: "x", by: "somebody else" }])
      assert.equal((await ask("POST", `/${idOf(1)}/hold`, body)).status, 400, JSON.stringify(body).slice(0, 50));
    const held = await ask("POST", `/${idOf(1)}/hold`, { reason: "x".repeat(1000) });
    const hold = held.json.hold as { heldAt: string; heldBy: string; reason: string };
    assert.deepEqual([held.status, hold.reason.length], [200, 1000]);
    assert.match(hold.heldBy, /^mdb_sa_id_/);
    const again = await ask("POST", `/${idOf(1)}/hold`, { reason: "again" });
    assert.deepEqual([again.status, again.json.errorCode], [409, "SNAPSHOT_ALREADY_HELD"]);
    const atlas = `/api/atlas/v2/groups/${world.projectId}/serverless/Instance0`;
    const refused = await world.request("DELETE", `${atlas}/backup/snapshots/${idOf(1)}`, { as: world.owner });
    assert.deepEqual([refused.status, refused.json.errorCode], [409, "SNAPSHOT_HELD"]);
    const instance = await world.request("DELETE", atlas, { as: world.owner });
    assert.deepEqual([instance.status, instance.json.errorCode], [409, "DEPLOYMENT_HAS_HELD_SNAPSHOTS"]);
    const released = await ask("DELETE", `/${idOf(1)}/hold`);
    assert.deepEqual([released.status, released.json.hold], [200, undefined]);
    assert.equal((await ask("DELETE", `/${idOf(1)}/hold`)).json.errorCode, "SNAPSHOT_NOT_HELD");
  });

  test("a trial is answered at once, and its result is shown when it is there", async () => {
    assert.equal((await ask("POST", `/${idOf(2)}/drill`)).status, 202);
    assert.equal((await ask("POST", `/${idOf(2)}/drill`)).json.errorCode, "DRILL_UNDER_WAY");
    const result = {
      provenAtMs: 1_767_225_600_000,
      drilledAtMs: 1_767_225_700_000,
      drillFailureReason: "it is not equal",
    };
    await world.metadata.snapshots.update(idOf(2), result);
    assert.deepEqual((await ask("GET", `/${idOf(2)}`)).json.restorability, {
      failureReason: "it is not equal",
      lastProvenAt: "2026-01-01T00:00:00Z",
      lastTriedAt: "2026-01-01T00:01:40Z",
      underWay: true,
    });
  });

  test("the metrics count how snapshots came to be, and checks of increments", async () => {
    world.increments.add({ ...facts, incrementsInARow: 3 });
    world.increments.add({ ...facts, incrementCheck: "equal" });
    world.increments.add(facts);
    for (let asked = 0; asked < 2; asked += 1) {
      const { text } = await world.request("GET", "/metrics");
      for (const line of [
        'telamon_snapshots_completed_total{way="log"} 1',
        'telamon_snapshots_completed_total{way="read"} 2',
        'telamon_increment_checks_total{result="equal"} 1',
        'telamon_increment_checks_total{result="different"} 0',
      ])
        assert.ok(text.includes(`${line}\n`), line);
    }
  });

  test("the metrics tell how snapshots are kept and proven, and name nobody", async () => {
    await ask("POST", `/${idOf(1)}/hold`, { reason: "the audit" });
    const { text } = await world.request("GET", "/metrics");
    const value = (name: string) => Number(new RegExp(`^${name} (\\S+)$`, "m").exec(text)?.[1]);
    assert.equal(value("telamon_snapshots_held"), 1);
    assert.equal(value("telamon_snapshots_proven"), 1);
    assert.equal(value("telamon_snapshots_drill_failed"), 1);
    assert.equal(value("telamon_deployments_never_proven"), 0);
    assert.equal(value("telamon_oldest_proof_age_seconds"), (world.clock.nowMs() - 1_767_225_600_000) / 1000);
    await world.metadata.snapshots.update(idOf(2), { provenAtMs: undefined });
    const without = (await world.request("GET", "/metrics")).text;
    assert.match(without, /^telamon_oldest_proof_age_seconds Nan$/im);
    assert.match(without, /^telamon_deployments_never_proven 1$/m);
    for (const name of [idOf(1), "Instance0", world.projectId]) assert.ok(!text.includes(name));
  });
});
