import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createDomainWorld, type DomainWorld, errorOf } from "../../../test/support/domain-world.ts";
import { deployment, idOf, snapshot } from "../../../test/support/records.ts";
import { noSnapshotPlannedAtMs } from "../../ports/metadata/deployment-records.ts";
import { presetPolicy } from "./policy.ts";

const dayMs = 86_400_000;

async function worldWithInstance(): Promise<{ readonly world: DomainWorld; readonly deploymentId: string }> {
  const world = await createDomainWorld();
  return { world, deploymentId: await world.instance("Instance0") };
}

describe("policies of deployments", () => {
  test("the policy of the kind counts until the deployment has its own, and again when that is taken back", async () => {
    const { world, deploymentId } = await worldWithInstance();
    const { services, projectId, metadata } = world;
    const { policy: ofKind } = await services.backupPolicies.get(projectId, "Instance0");
    assert.equal(ofKind.items.length, 2);
    const { policy, deployment: after } = await services.backupPolicies.update(projectId, "Instance0", {
      preset: "DEDICATED",
      keepNewest: 3,
    });
    assert.deepEqual([policy.items.length, policy.keepNewest, after.backupPolicy], [5, 3, policy]);
    const { policy: shifted } = await services.backupPolicies.update(projectId, "Instance0", { referenceHourOfDay: 1 });
    assert.deepEqual([shifted.items, shifted.referenceOfDayMs], [policy.items, 3_600_000]);
    assert.deepEqual((await services.backupPolicies.reset(projectId, "Instance0")).policy, ofKind);
    assert.equal((await metadata.deployments.find(deploymentId))?.backupPolicy, undefined);
    await assert.rejects(
      services.backupPolicies.get(projectId, "Nowhere"),
      errorOf("not_found", "DEPLOYMENT_NOT_FOUND"),
    );
  });

  test("a change plans the next snapshot anew, and a policy without items plans none", async () => {
    const { world, deploymentId } = await worldWithInstance();
    const { services, projectId, metadata, clock } = world;
    const planned = async () => (await metadata.deployments.find(deploymentId))?.nextSnapshotAtMs;
    const startMs = clock.nowMs();
    const { policy } = await services.backupPolicies.update(projectId, "Instance0", {
      items: [{ frequencyType: "hourly", frequencyInterval: 1, retentionUnit: "days", retentionValue: 1 }],
    });
    assert.equal(await planned(), startMs + 3_600_000);
    await metadata.deployments.update(deploymentId, { owedPolicyItemIds: [policy.items[0]?.id ?? "", idOf(5)] });
    await services.backupPolicies.update(projectId, "Instance0", { keepNewest: 2 });
    assert.deepEqual((await metadata.deployments.find(deploymentId))?.owedPolicyItemIds, [policy.items[0]?.id]);
    const cleared = await services.backupPolicies.clear(projectId, "Instance0");
    assert.deepEqual([cleared.policy.items, cleared.policy.id], [[], policy.id]);
    assert.equal(await planned(), noSnapshotPlannedAtMs);
    clock.advance(400 * dayMs);
    assert.deepEqual(await metadata.deployments.dueForSnapshot(clock.nowMs(), 10), []);
  });

  test("snapshots taken before are kept as long as the new policy says, when that is asked for, each from its completion", async () => {
    const { world, deploymentId } = await worldWithInstance();
    const { services, projectId, metadata } = world;
    const { items } = presetPolicy("DEDICATED", deployment({ id: deploymentId }));
    const [hourly, , weekly, monthly] = items;
    assert.ok(hourly && weekly && monthly);
    const completedAtMs = Date.UTC(2026, 0, 31);
    const taken = (number: number, policyItemIds: readonly string[], changes: object = {}) =>
      metadata.snapshots.insert(snapshot(idOf(number), { deploymentId, completedAtMs, policyItemIds, ...changes }));
    await taken(1, [hourly.id]);
    await taken(2, [hourly.id, monthly.id], { completedAtMs: completedAtMs + dayMs });
    await taken(3, [weekly.id]);
    await taken(4, [], { snapshotType: "onDemand", frequencyType: "ondemand" });
    await taken(5, [hourly.id], { status: "failed" });
    const before = await metadata.snapshots.find(deploymentId, idOf(3));
    const kept = items
      .filter((item) => item !== weekly)
      .map((item) => (item === monthly ? { ...item, retentionValue: 1 } : item));
    await services.backupPolicies.update(projectId, "Instance0", { preset: "DEDICATED", items: kept });
    assert.equal((await metadata.snapshots.find(deploymentId, idOf(1)))?.retentionMs, 3 * dayMs, "not asked for");
    await services.backupPolicies.update(projectId, "Instance0", { updateSnapshots: true, keepNewest: 4 });
    const lasts = async (number: number) => {
      const found = await metadata.snapshots.find(deploymentId, idOf(number));
      return ((found?.expiresAtMs ?? 0) - (found?.completedAtMs ?? 0)) / dayMs;
    };
    assert.deepEqual([await lasts(1), await lasts(2)], [7, 28], "a month after the first of February");
    assert.equal(
      (await metadata.snapshots.find(deploymentId, idOf(3)))?.expiresAtMs,
      before?.expiresAtMs,
      "its item is gone",
    );
    assert.equal((await metadata.snapshots.find(deploymentId, idOf(1)))?.newestKept, 4);
    for (const number of [4, 5])
      assert.equal(
        (await metadata.snapshots.find(deploymentId, idOf(number)))?.retentionMs,
        3 * dayMs,
        "not of its kind",
      );
    await services.backupPolicies.update(projectId, "Instance0", { deleteSnapshots: true });
    assert.equal((await metadata.snapshots.find(deploymentId, idOf(3)))?.expiresAtMs, world.clock.nowMs());
    assert.deepEqual([await lasts(1), await lasts(2)], [7, 28]);
  });
});
