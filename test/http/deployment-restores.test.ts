import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { RoleAssignment } from "../../src/ports/metadata/access-records.ts";
import { type ApiWorld, createApiWorld, type Principal } from "../support/api-world.ts";
import { deployment, idOf, snapshot } from "../support/records.ts";

const [instanceId, externalId, detachedId, theirsId] = [idOf(0xc1), idOf(0xc2), idOf(0xc3), idOf(0xc4)];

describe("restores of deployments of every kind over the API", () => {
  let world: ApiWorld;
  before(async () => {
    world = await createApiWorld();
    const { projectId, foreignProjectId, metadata } = world;
    for (const record of [
      deployment({ id: instanceId, projectId, name: "Instance" }),
      deployment({ id: externalId, projectId, name: "External", kind: "external" }),
      deployment({ id: detachedId, projectId, name: "Detached", kind: "external", state: "DETACHED" }),
      deployment({ id: theirsId, projectId: foreignProjectId, name: "Theirs", kind: "external" }),
    ])
      await metadata.deployments.insert(record);
    await metadata.snapshots.insert(snapshot(idOf(1), { deploymentId: instanceId }));
    await metadata.snapshots.insert(snapshot(idOf(2), { deploymentId: externalId }));
    await metadata.snapshots.insert(snapshot(idOf(3), { deploymentId: instanceId, status: "inProgress" }));
  });
  after(() => world.close());

  const wanted = { snapshotId: idOf(1), targetKind: "external", targetName: "External" };
  const ask = (body: object, { as = world.owner, of = "Instance" }: { as?: Principal; of?: string } = {}) =>
    world.request("POST", `/api/telamon/v1/groups/${world.projectId}/deployments/${of}/restoreJobs`, {
      as,
      body: JSON.stringify(body),
    });
  const roleIn = (scopeId: string, roleName: string): RoleAssignment => ({ scope: "project", scopeId, roleName });

  test("the target is named with its kind: what is missing, unknown or of the other kind is told", async () => {
    const cases: readonly [object, number, string][] = [
      [{ ...wanted, targetName: undefined }, 400, "MISSING_ATTRIBUTE"],
      [{ ...wanted, targetName: "" }, 400, "MISSING_ATTRIBUTE"],
      [{ ...wanted, targetKind: undefined }, 400, "MISSING_ATTRIBUTE"],
      [{ ...wanted, targetKind: "cluster" }, 400, "INVALID_ENUM_VALUE"],
      [{ ...wanted, targetName: "Instance" }, 404, "EXTERNAL_DEPLOYMENT_NOT_FOUND"],
      [{ ...wanted, targetKind: "serverless" }, 404, "SERVERLESS_INSTANCE_NOT_FOUND"],
      [{ ...wanted, targetName: "Detached" }, 409, "EXTERNAL_DEPLOYMENT_DETACHED"],
      [
        { ...wanted, targetKind: "serverless", targetName: "Instance", replaceExisting: true },
        400,
        "INVALID_ATTRIBUTE",
      ],
      [{ ...wanted, snapshotId: "xyz" }, 404, "INVALID_SNAPSHOT_ID"],
      [{ ...wanted, snapshotId: idOf(2) }, 404, "SNAPSHOT_NOT_FOUND"],
      [{ ...wanted, snapshotId: idOf(3) }, 409, "CANNOT_START_RESTORE_JOB_FOR_INCOMPLETE_CLUSTER_SNAPSHOT"],
      [{ ...wanted, targetGroupId: "xyz" }, 404, "INVALID_GROUP_ID"],
    ];
    for (const [body, status, code] of cases) {
      const answer = await ask(body);
      assert.deepEqual([answer.status, answer.json.errorCode], [status, code], JSON.stringify(body));
    }
    const unknown = await ask(wanted, { of: "Nowhere" });
    assert.deepEqual([unknown.status, unknown.json.errorCode], [404, "DEPLOYMENT_NOT_FOUND"]);
  });

  test("needs the role on both sides, and without it nobody learns whether the target is there", async () => {
    const { projectId, foreignProjectId } = world;
    const here = await world.principal(roleIn(projectId, "GROUP_OWNER"), roleIn(foreignProjectId, "GROUP_READ_ONLY"));
    const there = await world.principal(roleIn(projectId, "GROUP_READ_ONLY"), roleIn(foreignProjectId, "GROUP_OWNER"));
    const target = { ...wanted, targetGroupId: foreignProjectId };
    const answers = [
      await ask({ ...target, targetName: "Theirs" }, { as: here }),
      await ask({ ...target, targetName: "Nowhere" }, { as: here }),
      await ask({ ...target, targetName: "Nowhere", targetGroupId: idOf(77) }, { as: here }),
    ];
    for (const { status, text } of answers) {
      assert.equal(status, 403);
      assert.match(text, /CANNOT_RESTORE_TO_TARGET/);
      assert.equal(text, answers[0]?.text);
    }
    const refused = await ask({ ...target, targetName: "Theirs" }, { as: there });
    assert.deepEqual([refused.status, refused.json.errorCode], [401, "USER_UNAUTHORIZED"]);
  });

  test("a backup manager of both projects restores across them, and a target takes one restore at a time", async () => {
    const { projectId, foreignProjectId } = world;
    const as = await world.principal(...[projectId, foreignProjectId].map((id) => roleIn(id, "GROUP_BACKUP_MANAGER")));
    const target = { ...wanted, targetGroupId: foreignProjectId, targetName: "Theirs" };
    const { status, json, text } = await ask(target, { as });
    assert.equal(status, 200, text);
    const path = `/api/telamon/v1/groups/${projectId}/deployments/Instance`;
    assert.deepEqual(
      { ...json, id: undefined, requestedAt: undefined },
      {
        id: undefined,
        links: [
          { href: `${world.baseUrl}${path}/restoreJobs/${json.id}`, rel: "self" },
          { href: `${world.baseUrl}${path}/snapshots/${idOf(1)}`, rel: "snapshot" },
        ],
        requestedAt: undefined,
        snapshotId: idOf(1),
        status: "inProgress",
        targetGroupId: foreignProjectId,
        targetName: "Theirs",
      },
    );
    const again = await ask(target, { as });
    assert.deepEqual([again.status, again.json.errorCode], [409, "ATLAS_CLUSTER_RESTORE_IN_PROGRESS"]);
    const shown = await world.request("GET", `${path}/restoreJobs/${json.id}`, { as });
    assert.deepEqual([shown.status, shown.json], [200, json]);
  });

  test("the vendor's operation restores into instances alone", async () => {
    const path = `/api/atlas/v2/groups/${world.projectId}/serverless/Instance/backup/restoreJobs`;
    const request = { deliveryType: "automated", snapshotId: idOf(1), targetGroupId: world.projectId };
    const body = JSON.stringify({ ...request, targetClusterName: "External" });
    const { status, json } = await world.request("POST", path, { as: world.owner, body });
    assert.deepEqual([status, json.errorCode], [404, "SERVERLESS_INSTANCE_NOT_FOUND"]);
  });
});
