import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createDomainWorld, errorOf, everything } from "../../../test/support/domain-world.ts";
import { createDeploymentTransitions } from "./deployment-transitions.ts";
import { maximumInstancesPerProject } from "./serverless-instance-service.ts";

const aws = { backingProviderName: "AWS", regionName: "US_EAST_1" };

describe("serverless instances", () => {
  test("a new instance is being created, with continuous backup, its first snapshot in 6 hours, and a job behind it", async () => {
    const { services, projectId, clock, metadata, lease } = await createDomainWorld();
    const created = await services.serverlessInstances.create(projectId, { name: "Instance0", ...aws });
    assert.deepEqual(
      [created.state, created.continuousBackupEnabled, created.terminationProtectionEnabled, created.tags],
      ["CREATING", true, false, undefined],
    );
    assert.equal(created.nextSnapshotAtMs, clock.nowMs() + 6 * 3_600_000);
    assert.equal(await services.projects.clusterCount(projectId), 1);
    const transitions = createDeploymentTransitions({ metadata });
    const job = await lease("provision");
    assert.deepEqual(await transitions.begin(job), created);
    assert.equal(await transitions.provisioned(job, 27_100), true);
    const ready = await services.serverlessInstances.get(projectId, "Instance0");
    assert.deepEqual(ready, { ...created, state: "IDLE", port: 27_100 });
    assert.deepEqual((await services.serverlessInstances.list(projectId, everything)).items, [ready]);
  });

  test("an update counts at once, says UPDATING, and a job makes it IDLE again", async () => {
    const { services, projectId, metadata, lease, instance } = await createDomainWorld();
    await instance("Instance0");
    const changes = { continuousBackupEnabled: false, tags: [{ key: "a", value: "b" }] };
    const updated = await services.serverlessInstances.update(projectId, "Instance0", changes);
    assert.deepEqual(
      [updated.state, updated.continuousBackupEnabled, updated.terminationProtectionEnabled, updated.tags],
      ["UPDATING", false, false, changes.tags],
    );
    await createDeploymentTransitions({ metadata }).provisioned(await lease("provision"), 27_100);
    const after = await services.serverlessInstances.get(projectId, "Instance0");
    assert.deepEqual([after.state, after.continuousBackupEnabled], ["IDLE", false]);
  });

  test("termination protection keeps an instance until it is lifted", async () => {
    const { services, projectId, instance, metadata, lease } = await createDomainWorld();
    const id = await instance("Instance0");
    await services.serverlessInstances.update(projectId, "Instance0", { terminationProtectionEnabled: true });
    await assert.rejects(
      services.serverlessInstances.delete(projectId, "Instance0"),
      errorOf(
        "invalid",
        "CANNOT_TERMINATE_CLUSTER_WHEN_TERMINATION_PROTECTION_ENABLED",
        "Cannot terminate a cluster when termination protection is enabled. Disable termination protection and try again.",
        [
          `Cannot terminate cluster Instance0 in group ${projectId} because termination protection is enabled. Disable termination protection and try again.`,
        ],
      ),
    );
    await services.serverlessInstances.update(projectId, "Instance0", { terminationProtectionEnabled: false });
    await services.serverlessInstances.delete(projectId, "Instance0");
    assert.equal((await services.serverlessInstances.get(projectId, "Instance0")).state, "DELETING");
    await assert.rejects(
      services.serverlessInstances.delete(projectId, "Instance0"),
      errorOf(
        "invalid",
        "CLUSTER_ALREADY_REQUESTED_DELETION",
        "The cluster Instance0 has already been requested for deletion.",
      ),
    );
    await assert.rejects(
      services.serverlessInstances.update(projectId, "Instance0", {}),
      errorOf("invalid", "CLUSTER_ALREADY_REQUESTED_DELETION"),
    );
    const transitions = createDeploymentTransitions({ metadata });
    // The two updates asked for before come first and have nothing left to do.
    assert.equal(await transitions.begin(await lease("provision")), undefined);
    assert.equal(await transitions.begin(await lease("provision")), undefined);
    const job = await lease("deprovision");
    assert.equal((await transitions.begin(job))?.id, id);
    assert.equal(await transitions.removed(job), true);
    await assert.rejects(
      services.serverlessInstances.get(projectId, "Instance0"),
      errorOf("not_found", "SERVERLESS_INSTANCE_NOT_FOUND", undefined, ["Instance0", projectId]),
    );
  });

  test("who has lost the lease neither starts nor removes anything", async () => {
    const { services, projectId, metadata, clock, lease } = await createDomainWorld();
    await services.serverlessInstances.create(projectId, { name: "Instance0", ...aws });
    const lost = await lease("provision", 100);
    clock.advance(100);
    await lease("provision");
    const transitions = createDeploymentTransitions({ metadata });
    assert.equal(await transitions.begin(lost), undefined);
    assert.equal(await transitions.provisioned(lost, 1), false);
    assert.equal(await transitions.removed(lost), false);
    assert.equal((await services.serverlessInstances.get(projectId, "Instance0")).state, "CREATING");
  });

  test("names: letters, digits and hyphens inside, 1 to 64, each wrong one with its own error", async () => {
    const { services, projectId } = await createDomainWorld();
    const create = (name: string) => services.serverlessInstances.create(projectId, { name, ...aws });
    for (const name of ["a", "A-1", "0".repeat(64), "atlas-abc12", "atlas-abc1234"]) await create(name);
    const wrong: readonly [string, string][] = [
      ["", "CLUSTER_NAME_INVALID"],
      ["-a", "CLUSTER_NAME_INVALID"],
      ["a-", "CLUSTER_NAME_INVALID"],
      ["a_b", "CLUSTER_NAME_INVALID"],
      ["a b", "CLUSTER_NAME_INVALID"],
      ["ä", "CLUSTER_NAME_INVALID"],
      ["x".repeat(65), "CLUSTER_NAME_TOO_LONG"],
      ["atlas-abc123", "ATLAS_RESERVED_CLUSTER_NAME"],
      [`${"y".repeat(22)}-z`, "CLUSTER_NAME_PREFIX_INVALID"],
    ];
    for (const [name, code] of wrong) await assert.rejects(create(name), errorOf("invalid", code), name);
  });

  test("a name, or its first 23 characters in any case, is taken once in a project and free in another", async () => {
    const { services, projectId, organizationId } = await createDomainWorld();
    const create = (name: string, project = projectId) =>
      services.serverlessInstances.create(project, { name, ...aws });
    const long = "a".repeat(23);
    await create(`${long}1`);
    await create("Short");
    await assert.rejects(
      create("Short"),
      errorOf(
        "invalid",
        "DUPLICATE_CLUSTER_NAME",
        `A cluster or serverless instance named Short is already present in group ${projectId}.`,
        ["cluster or serverless instance", "Short", projectId],
      ),
    );
    await assert.rejects(
      create(`${long}2`),
      errorOf("invalid", "DUPLICATE_CLUSTER_NAME_PREFIX", undefined, [`${long}2`, 23]),
    );
    await assert.rejects(create("SHORT"), errorOf("invalid", "DUPLICATE_CLUSTER_NAME_PREFIX"));
    await create("a".repeat(22));
    const other = await services.projects.create({ name: "Other", organizationId });
    await create("Short", other.id);
  });

  test("a provider and its regions as the vendor spells them, nothing else", async () => {
    const { services, projectId } = await createDomainWorld();
    const create = (backingProviderName: string, regionName: string) =>
      services.serverlessInstances.create(projectId, {
        name: regionName.replaceAll("_", "-"),
        backingProviderName,
        regionName,
      });
    await create("AWS", "US_EAST_1");
    await create("AZURE", "US_EAST_2");
    await create("GCP", "CENTRAL_US");
    await assert.rejects(
      create("AWS", "CENTRAL_US"),
      errorOf("invalid", "INVALID_REGION", "No region CENTRAL_US exists for provider AWS.", ["CENTRAL_US", "AWS"]),
    );
    const nameless = { name: "x", backingProviderName: "AWS", regionName: "" };
    await assert.rejects(
      services.serverlessInstances.create(projectId, nameless),
      errorOf("invalid", "INVALID_REGION", undefined, ["", "AWS"]),
    );
    for (const provider of ["aws", "TENANT", "constructor", "__proto__"]) {
      await assert.rejects(create(provider, "US_EAST_1"), errorOf("invalid", "INVALID_PROVIDER"));
    }
  });

  test("a project has so many instances and not one more, and an unknown project none", async () => {
    const { services, projectId } = await createDomainWorld();
    for (let number = 0; number < maximumInstancesPerProject; number += 1) {
      await services.serverlessInstances.create(projectId, { name: `i${number}`, ...aws });
    }
    await assert.rejects(
      services.serverlessInstances.create(projectId, { name: "one-more", ...aws }),
      errorOf("invalid", "ATLAS_GENERAL_ERROR"),
    );
    await assert.rejects(
      services.serverlessInstances.create("0123456789abcdef01234567", { name: "x", ...aws }),
      errorOf("not_found", "GROUP_NOT_FOUND"),
    );
  });
});
