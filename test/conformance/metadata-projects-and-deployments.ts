import assert from "node:assert/strict";
import { test } from "node:test";
import { presetPolicy } from "../../src/domain/backups/policy.ts";
import type { Metadata } from "../../src/ports/metadata/metadata.ts";
import { MetadataConflict } from "../../src/ports/metadata/project-records.ts";
import {
  databaseUser,
  deployment,
  deploymentId,
  idOf,
  organizationId,
  project,
  projectId,
  restoreJob,
  snapshot,
} from "../support/records.ts";

const firstPage = { pageNumber: 1, itemsPerPage: 2, includeCount: true };

export function projectAndDeploymentPromises(metadata: () => Metadata): void {
  test("records come back as they went in, with nothing and empty lists kept apart", async () => {
    assert.deepEqual(await metadata().projects.find(projectId), project());
    const tagged = project({
      id: idOf(1),
      name: "Tagged",
      tags: [{ key: "k", value: "v" }],
      withDefaultAlertsSettings: false,
    });
    await metadata().projects.insert(tagged);
    assert.deepEqual(await metadata().projects.findByName(organizationId, "Tagged"), tagged);
    const empty = deployment({
      id: idOf(2),
      name: "Empty",
      tags: [],
      port: 27_100,
      terminationProtectionEnabled: true,
    });
    await metadata().deployments.insert(empty);
    assert.deepEqual(await metadata().deployments.findByName(projectId, "Empty"), empty);
    assert.deepEqual(await metadata().deployments.find(deploymentId), deployment());
    assert.equal(await metadata().deployments.findByName(idOf(9), "Empty"), undefined);
    assert.equal((await metadata().organizations.find(organizationId))?.name, "Organization 0");
    assert.equal(await metadata().organizations.any(), true);
  });

  test("a name taken in its organization or project is a conflict and changes nothing", async () => {
    await assert.rejects(metadata().projects.insert(project({ id: idOf(1) })), MetadataConflict);
    assert.equal(await metadata().projects.find(idOf(1)), undefined);
    await assert.rejects(metadata().deployments.insert(deployment({ id: idOf(2) })), MetadataConflict);
    assert.equal(await metadata().deployments.count(projectId, "serverless"), 1);
    await metadata().databaseUsers.insert(databaseUser());
    await assert.rejects(metadata().databaseUsers.insert(databaseUser()), MetadataConflict);
    assert.equal(await metadata().databaseUsers.count(projectId), 1);
  });

  test("projects are paged by name in byte order, only those that may be seen", async () => {
    await metadata().organizations.insert({ id: idOf(9), name: "Other", createdAtMs: 1 });
    for (const [index, name] of ["zeta", "Alpha", "beta", "Über"].entries()) {
      await metadata().projects.insert(project({ id: idOf(index + 1), name }));
    }
    await metadata().projects.insert(project({ id: idOf(5), name: "Elsewhere", organizationId: idOf(9) }));
    assert.equal(await metadata().projects.countOf(organizationId), 5);
    const visible = { organizationIds: [organizationId], projectIds: [idOf(5)] };
    const everything = await metadata().projects.page(visible, { ...firstPage, itemsPerPage: 10 });
    const names = everything.items.map((item) => item.name);
    assert.deepEqual(names, ["Alpha", "Elsewhere", "Project 0", "beta", "zeta", "Über"]);
    const second = await metadata().projects.page(visible, { ...firstPage, pageNumber: 2 });
    assert.deepEqual(
      [second.items.map((item) => item.name), second.totalCount, second.hasNext],
      [["Project 0", "beta"], 6, true],
    );
    const uncounted = await metadata().projects.page(visible, { pageNumber: 3, itemsPerPage: 2, includeCount: false });
    assert.deepEqual([uncounted.items.length, uncounted.totalCount, uncounted.hasNext], [2, 0, false]);
    const none = await metadata().projects.page({ organizationIds: [], projectIds: [] }, firstPage);
    assert.deepEqual(none, { items: [], totalCount: 0, hasNext: false });
  });

  test("the ids of all organizations", async () => {
    await metadata().organizations.insert({ id: idOf(9), name: "Other", createdAtMs: 1 });
    assert.deepEqual((await metadata().organizations.ids()).toSorted(), [idOf(9), organizationId].toSorted());
  });

  test("deployments are paged oldest first whatever their dates say", async () => {
    for (const [index, createdAtMs] of [500, 100, 300].entries()) {
      await metadata().deployments.insert(deployment({ id: idOf(index + 1), name: `Later${index}`, createdAtMs }));
    }
    const page = await metadata().deployments.page(projectId, "serverless", { ...firstPage, itemsPerPage: 3 });
    const names = page.items.map((item) => item.name);
    assert.deepEqual([names, page.totalCount, page.hasNext], [["Instance0", "Later0", "Later1"], 4, true]);
    const last = await metadata().deployments.page(projectId, "serverless", {
      ...firstPage,
      pageNumber: 2,
      itemsPerPage: 3,
    });
    assert.deepEqual([last.items.map((item) => item.name), last.hasNext], [["Later2"], false]);
  });

  test("due are the idle deployments whose time has come, the longest waiting first", async () => {
    const at = (id: number, nextSnapshotAtMs: number, state: "IDLE" | "DELETING" = "IDLE") =>
      metadata().deployments.insert(deployment({ id: idOf(id), name: `I${id}`, nextSnapshotAtMs, state }));
    await at(1, 1001);
    await at(2, 1000);
    await at(3, 999);
    await at(4, 10, "DELETING");
    const due = async (limit: number) =>
      (await metadata().deployments.dueForSnapshot(1000, limit)).map((one) => one.id);
    assert.deepEqual(await due(10), [idOf(3), idOf(2)]);
    assert.deepEqual(await due(1), [idOf(3)]);
    const all = (await metadata().deployments.all()).map((one) => one.id);
    assert.deepEqual(all, [deploymentId, idOf(1), idOf(2), idOf(3)]);
  });

  test("an update changes what it names and nothing else", async () => {
    await metadata().deployments.update(deploymentId, {});
    assert.deepEqual(await metadata().deployments.find(deploymentId), deployment());
    const changes = {
      state: "UPDATING",
      tags: [],
      port: 27_101,
      continuousBackupEnabled: false,
      nextSnapshotAtMs: 7,
      backupPolicy: presetPolicy("DEDICATED", deployment()),
      owedPolicyItemIds: [idOf(1), idOf(2)],
    } as const;
    await metadata().deployments.update(deploymentId, changes);
    assert.deepEqual(await metadata().deployments.find(deploymentId), deployment(changes));
    await metadata().deployments.update(deploymentId, { backupPolicy: undefined, owedPolicyItemIds: [] });
    const emptied = { ...changes, backupPolicy: undefined, owedPolicyItemIds: [] };
    assert.deepEqual(await metadata().deployments.find(deploymentId), deployment(emptied));
  });

  test("a deployment goes with its snapshots and restore jobs, and its name is free again", async () => {
    await metadata().snapshots.insert(snapshot(idOf(1)));
    await metadata().restoreJobs.insert(restoreJob(idOf(2)));
    await metadata().deployments.delete(deploymentId);
    assert.equal(await metadata().deployments.find(deploymentId), undefined);
    assert.equal(await metadata().snapshots.find(deploymentId, idOf(1)), undefined);
    assert.equal(await metadata().restoreJobs.find(deploymentId, idOf(2)), undefined);
    assert.equal((await metadata().snapshots.liveManifestKeys()).size, 0);
    await metadata().deployments.insert(deployment({ id: idOf(3) }));
  });

  test("deployments of each kind are listed and counted apart, but a project has each name once", async () => {
    const { deployments, externalSources } = metadata();
    const external = deployment({ id: idOf(1), name: "Elsewhere", kind: "external", state: "DETACHED" });
    await deployments.insert(external);
    assert.deepEqual((await deployments.page(projectId, "external", firstPage)).items, [external]);
    assert.equal((await deployments.page(projectId, "serverless", firstPage)).totalCount, 1);
    assert.deepEqual(
      [await deployments.count(projectId, "external"), await deployments.count(idOf(9), "external")],
      [1, 0],
    );
    assert.deepEqual(await deployments.names(projectId), ["Instance0", "Elsewhere"]);
    await assert.rejects(deployments.insert(deployment({ id: idOf(2), name: "Elsewhere" })), MetadataConflict);
    assert.deepEqual(
      (await deployments.dueForSnapshot(Number.MAX_SAFE_INTEGER, 10)).map(({ name }) => name),
      ["Instance0"],
    );
    const source = {
      deploymentId: external.id,
      sealedConnectionString: Uint8Array.of(1, 2, 3),
      hosts: ["a:1", "b:2"],
      replacedAtMs: 5,
      probe: { atMs: 6, failureReason: "Nobody answers." },
    };
    await externalSources.insert(source);
    assert.deepEqual(await externalSources.find(external.id), source);
    await externalSources.update(external.id, {});
    assert.deepEqual(await externalSources.find(external.id), source);
    await externalSources.update(external.id, { sealedConnectionString: undefined, probe: undefined, hosts: [] });
    assert.deepEqual(await externalSources.find(external.id), {
      ...source,
      sealedConnectionString: undefined,
      probe: undefined,
      hosts: [],
    });
    await deployments.delete(external.id);
    assert.equal(await externalSources.find(external.id), undefined);
  });

  test("database users: whole records, order, replacement, deletion, expiry", async () => {
    const users = metadata().databaseUsers;
    await users.insert(
      databaseUser({ username: "bob", deleteAfterMs: 1000, description: undefined, scopes: [], labels: [] }),
    );
    await users.insert(databaseUser());
    assert.deepEqual(await users.find(projectId, "admin", "alice"), databaseUser());
    const page = await users.page(projectId, { ...firstPage, itemsPerPage: 1 });
    assert.deepEqual([page.items.map((user) => user.username), page.totalCount, page.hasNext], [["alice"], 2, true]);
    const changed = databaseUser({
      roles: [{ roleName: "atlasAdmin", databaseName: "admin" }],
      description: undefined,
    });
    await users.update(changed);
    assert.deepEqual(await users.find(projectId, "admin", "alice"), changed);
    assert.equal(await users.deleteExpired(999), 0);
    assert.equal(await users.deleteExpired(1000), 1);
    assert.equal(await users.find(projectId, "admin", "bob"), undefined);
    assert.equal(await users.delete(projectId, "admin", "alice"), true);
    assert.equal(await users.delete(projectId, "admin", "alice"), false);
  });
}
