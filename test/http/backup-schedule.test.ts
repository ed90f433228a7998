import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type ApiWorld, createApiWorld } from "../support/api-world.ts";
import { deployment, deploymentId, idOf } from "../support/records.ts";

describe("backup schedules of clusters, as Atlas has them", () => {
  let world: ApiWorld;
  let clusters: string;
  before(async () => {
    world = await createApiWorld();
    const { projectId, metadata } = world;
    const reference = Date.UTC(2026, 0, 1, 3, 36, 25);
    const common = { projectId, createdAtMs: reference, nextSnapshotAtMs: reference };
    await metadata.deployments.insert(deployment({ ...common, kind: "external", name: "Shop" }));
    await metadata.deployments.insert(deployment({ ...common, id: idOf(2), name: "Instance0" }));
    const detached = { ...common, id: idOf(3), kind: "external", name: "Gone", state: "DETACHED" } as const;
    await metadata.deployments.insert(deployment(detached));
    clusters = `/api/atlas/v2/groups/${projectId}/clusters`;
  });
  after(() => world.close());

  const ask = (method: string, name: string, body?: object, date = "2023-01-01") =>
    world.request(method, `${clusters}/${name}/backup/schedule`, {
      as: world.owner,
      headers: { accept: `application/vnd.atlas.${date}+json` },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  const itemsOf = (json: Record<string, unknown>) =>
    (
      json.policies as { id: string; policyItems: { id: string; frequencyType: string; retentionValue: number }[] }[]
    )[0];

  test("a new deployment has the schedule of a new cluster, in the order and shape that was recorded", async () => {
    const { status, json, headers, text } = await ask("GET", "Shop");
    assert.equal(status, 200);
    assert.equal(headers.get("content-type"), "application/vnd.atlas.2023-01-01+json;charset=utf-8");
    const policy = itemsOf(json);
    assert.ok(text.startsWith('{"autoExportEnabled":false,"clusterId":'));
    assert.deepEqual(json, {
      autoExportEnabled: false,
      clusterId: deploymentId,
      clusterName: "Shop",
      copyPolicyItemsEnabled: false,
      copySettings: [],
      links: [
        { href: `${world.baseUrl}${clusters}/Shop/backup/schedule`, rel: "self" },
        { href: `${world.baseUrl}/api/public/v1.0/groups/${world.projectId}`, rel: "https://cloud.mongodb.com/group" },
      ],
      nextSnapshot: "2026-01-01T03:36:25Z",
      policies: [
        {
          id: policy?.id,
          policyItems: [
            ["hourly", 6, "days", 7],
            ["daily", 1, "days", 7],
            ["weekly", 6, "weeks", 4],
            ["monthly", 40, "months", 12],
            ["yearly", 12, "years", 1],
          ].map(([frequencyType, frequencyInterval, retentionUnit, retentionValue], index) => ({
            frequencyInterval,
            frequencyType,
            id: policy?.policyItems[index]?.id,
            retentionUnit,
            retentionValue,
          })),
        },
      ],
      referenceHourOfDay: 3,
      referenceMinuteOfHour: 36,
      restoreWindowDays: 7,
      useOrgAndGroupNamesInExportPrefix: false,
    });
  });

  test("what was shown may be sent back, and what is changed is kept, in both versions", async () => {
    const { json } = await ask("GET", "Shop");
    assert.deepEqual((await ask("PATCH", "Shop", json)).json, json);
    const [first, ...others] = itemsOf(json)?.policyItems ?? [];
    const policies = [{ id: itemsOf(json)?.id, policyItems: [{ ...first, retentionValue: 2 }, ...others] }];
    const extraRetentionSettings = [{ frequencyType: "ON_DEMAND", retentionDays: 5 }];
    const changed = await ask(
      "PATCH",
      "Shop",
      { policies, referenceHourOfDay: 5, extraRetentionSettings },
      "2024-08-05",
    );
    assert.deepEqual(
      [changed.status, changed.headers.get("content-type")],
      [200, "application/vnd.atlas.2024-08-05+json;charset=utf-8"],
    );
    assert.equal(itemsOf(changed.json)?.policyItems[0]?.retentionValue, 2);
    assert.deepEqual(changed.json.extraRetentionSettings, extraRetentionSettings);
    assert.deepEqual([changed.json.referenceHourOfDay, changed.json.nextSnapshot], [5, "2026-01-01T05:36:00Z"]);
    assert.deepEqual((await ask("GET", "Shop")).json, changed.json);
  });

  test("wrong schedules are refused with the API's own errors, copies and exports with 501, and nothing changes", async () => {
    const { json } = await ask("GET", "Shop");
    const item = { frequencyType: "daily", frequencyInterval: 1, retentionUnit: "days", retentionValue: 1 };
    const cases: readonly [object, number, string][] = [
      [{ policies: [] }, 400, "INVALID_NUM_OF_POLICIES"],
      [{ policies: [{ policyItems: [] }] }, 400, "INVALID_NUM_OF_POLICY_ITEMS"],
      [{ policies: [{ id: idOf(1), policyItems: [item] }] }, 400, "INVALID_POLICY_ID"],
      [{ policies: [{ policyItems: [{ ...item, frequencyInterval: 2 }] }] }, 400, "INVALID_BACKUP_POLICY"],
      [{ policies: [{ policyItems: [{ ...item, retentionUnit: "hours" }] }] }, 400, "INVALID_ENUM_VALUE"],
      [{ referenceHourOfDay: 24 }, 400, "INVALID_REFERENCE_HOUR_OF_DAY"],
      [{ referenceMinuteOfHour: 60 }, 400, "INVALID_REFERENCE_MINUTE_OF_HOUR"],
      [{ restoreWindowDays: 0 }, 400, "INVALID_RESTORE_WINDOW"],
      [{ autoExportEnabled: true }, 501, "FEATURE_UNSUPPORTED"],
      [{ copySettings: [{}] }, 501, "FEATURE_UNSUPPORTED"],
      [{ export: { exportBucketId: idOf(1) } }, 501, "FEATURE_UNSUPPORTED"],
      [{ somethingElse: 1 }, 400, "INVALID_ATTRIBUTE"],
    ];
    for (const [body, status, code] of cases) {
      const answer = await ask("PATCH", "Shop", body);
      assert.deepEqual([answer.status, answer.json.errorCode], [status, code], JSON.stringify(body));
    }
    assert.deepEqual((await ask("GET", "Shop")).json, json);
  });

  test("without a schedule no snapshot is planned, and one can be given again", async () => {
    const deleted = await ask("DELETE", "Shop", undefined, "2024-08-05");
    assert.equal(deleted.status, 200);
    assert.deepEqual([itemsOf(deleted.json)?.policyItems, deleted.json.nextSnapshot], [[], undefined]);
    assert.deepEqual((await ask("GET", "Shop")).json.policies, deleted.json.policies);
    const item = { frequencyType: "daily", frequencyInterval: 1, retentionUnit: "days", retentionValue: 1 };
    const given = await ask("PATCH", "Shop", { policies: [{ policyItems: [item] }] });
    assert.equal(given.json.nextSnapshot, "2026-01-01T05:36:00Z");
  });

  test("serverless instances are no clusters, detached deployments have no backup, and what is not there is not found", async () => {
    const cases: readonly [string, number, string][] = [
      ["Instance0", 400, "CANNOT_USE_SERVERLESS_INSTANCE_IN_CLUSTER_API"],
      ["Gone", 404, "BACKUP_CONFIG_NOT_FOUND"],
      ["Nowhere", 404, "CLUSTER_NOT_FOUND"],
    ];
    for (const method of ["GET", "PATCH", "DELETE"])
      for (const [name, status, code] of cases) {
        const answer = await ask(method, name, method === "PATCH" ? {} : undefined);
        assert.deepEqual([answer.status, answer.json.errorCode], [status, code], `${method} ${name}`);
      }
  });

  test("the policy of any deployment is Telamon's own to see and change, with what Atlas has not", async () => {
    const path = `/api/telamon/v1/groups/${world.projectId}/deployments/Instance0/backupPolicy`;
    const call = (method: string, body?: object) =>
      world.request(method, path, { as: world.owner, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
    const first = (await call("GET")).json;
    assert.deepEqual([first.isOwn, first.keepNewest, first.drillEveryDays], [false, 1, 7]);
    const own = await call("PATCH", { preset: "FLEX", keepNewest: 8, drillEveryDays: 1 });
    assert.deepEqual([own.status, own.json.isOwn, own.json.keepNewest], [200, true, 8]);
    assert.deepEqual(
      (own.json.items as { frequencyType: string; retentionValue: number }[]).map((one) => [
        one.frequencyType,
        one.retentionValue,
      ]),
      [["daily", 8]],
    );
    assert.equal((await call("PATCH", { preset: "M10" })).status, 400);
    assert.deepEqual((await call("DELETE")).json, first);
    const instance = await world.request("GET", `/api/atlas/v2/groups/${world.projectId}/serverless/Instance0`, {
      as: world.owner,
    });
    assert.equal(instance.status, 200);
  });
});
