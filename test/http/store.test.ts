import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type ApiWorld, createApiWorld, type Principal } from "../support/api-world.ts";

const path = "/api/telamon/v1/store/garbageCollections";

describe("the store over the API", () => {
  let world: ApiWorld;
  let operator: Principal;
  before(async () => {
    world = await createApiWorld();
    const roles = (await world.metadata.organizations.ids()).map(
      (scopeId) => ({ scope: "organization", scopeId, roleName: "ORG_OWNER" }) as const,
    );
    assert.equal(roles.length, 2);
    operator = await world.principal(...roles);
  });
  after(() => world.close());

  const ask = (as: Principal, body: object = {}) => world.request("POST", path, { as, body: JSON.stringify(body) });

  test("who owns every organization may have garbage collected, and sees what came of it", async () => {
    const { status, json } = await ask(operator, { dryRun: true, graceHours: 0, maximumRepacks: 0 });
    assert.equal(status, 202);
    const { id, requestedAt, ...rest } = json;
    assert.deepEqual(rest, {
      dryRun: true,
      graceHours: 0,
      links: [{ href: `${world.baseUrl}${path}/${String(id)}`, rel: "self" }],
      maximumRepacks: 0,
      status: "queued",
    });
    assert.match(String(requestedAt), /Z$/);
    const report = {
      deletedObjectCount: 1,
      deletedSizeBytes: 2,
      lockedObjectCount: 3,
      lockedSizeBytes: 4,
      waitingObjectCount: 5,
      waitingSizeBytes: 6,
      nextAtMs: 1_767_225_600_000,
      unknownSnapshotIds: ["0".repeat(24)],
      repackedPackCount: 7,
      repackedSizeBytes: 8,
    };
    const done = { status: "completed", finishedAtMs: 1_767_225_600_000, report } as const;
    await world.metadata.garbageCollections.update(String(id), done);
    const { nextAtMs: _, ...counts } = report;
    const found = await world.request("GET", `${path}/${String(id)}`, { as: operator });
    assert.deepEqual(found.json.report, { ...counts, nextAt: "2026-01-01T00:00:00Z" });
    assert.equal(found.json.finishedAt, "2026-01-01T00:00:00Z");
  });

  test("who does not own every organization may neither ask nor look", async () => {
    const { json } = await ask(operator);
    for (const as of [
      world.owner,
      await world.principal({ scope: "project", scopeId: world.projectId, roleName: "GROUP_OWNER" }),
    ]) {
      for (const answer of [await ask(as), await world.request("GET", `${path}/${String(json.id)}`, { as })])
        assert.deepEqual([answer.status, answer.json.errorCode], [401, "USER_UNAUTHORIZED"]);
    }
  });

  test("limits at, below and above, and what is not known", async () => {
    for (const body of [{ graceHours: 8760 }, { maximumRepacks: 1000 }])
      assert.equal((await ask(operator, body)).status, 202);
    for (const body of [
      { graceHours: -1 },
      { graceHours: 8761 },
      { graceHours: 0.5 },
      { maximumRepacks: 1001 },
      { all: true },
    ])
      assert.equal((await ask(operator, body)).status, 400, JSON.stringify(body));
    const missing = await world.request("GET", `${path}/${"0".repeat(24)}`, { as: operator });
    assert.deepEqual([missing.status, missing.json.errorCode], [404, "GARBAGE_COLLECTION_NOT_FOUND"]);
  });
});
