import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createDomainWorld, errorOf, everything } from "../../../test/support/domain-world.ts";
import { project } from "../../../test/support/records.ts";

describe("projects", () => {
  test("a created project is found, with alerts on and no tags unless they are given", async () => {
    const { services, organizationId } = await createDomainWorld();
    const plain = await services.projects.create({ name: "Plain", organizationId });
    assert.deepEqual([plain.tags, plain.withDefaultAlertsSettings], [undefined, true]);
    assert.deepEqual(await services.projects.get(plain.id), plain);
    const tags = [{ key: "env", value: "test" }];
    const request = { name: "Tagged", organizationId, tags, withDefaultAlertsSettings: false };
    const tagged = await services.projects.create(request);
    assert.deepEqual([tagged.tags, tagged.withDefaultAlertsSettings], [tags, false]);
  });

  test("only what the caller may see is listed", async () => {
    const { services, organizationId, projectId } = await createDomainWorld();
    await services.projects.create({ name: "Another", organizationId });
    const names = async (organizationIds: string[], projectIds: string[]) =>
      (await services.projects.list({ organizationIds, projectIds }, everything)).items.map((item) => item.name);
    assert.deepEqual(await names([organizationId], []), ["Another", "Project"]);
    assert.deepEqual(await names([], [projectId]), ["Project"]);
    assert.deepEqual(await names([], []), []);
  });

  test("an unknown project and a taken name answer the vendor's errors", async () => {
    const { services, organizationId } = await createDomainWorld();
    const unknown = "0123456789abcdef01234567";
    await assert.rejects(
      services.projects.get(unknown),
      errorOf("not_found", "GROUP_NOT_FOUND", `No group with ID ${unknown} exists.`, [unknown]),
    );
    await assert.rejects(
      services.projects.create({ name: "Project", organizationId }),
      errorOf("conflict", "GROUP_ALREADY_EXISTS", 'A group with name "Project" already exists.', ["Project"]),
    );
    await assert.rejects(
      services.projects.create({ name: "New", organizationId: unknown }),
      errorOf("not_found", "ORG_NOT_FOUND"),
    );
  });

  test("names of 1 to 64 letters, digits and allowed signs pass, others do not", async () => {
    const { services, organizationId } = await createDomainWorld();
    for (const name of ["x", "n".repeat(64), "Größe 2-_.(),:&@+'", "日本"]) {
      assert.equal((await services.projects.create({ name, organizationId })).name, name);
    }
    for (const name of ["", "n".repeat(65), " x", "x ", "a/b", "a<b", "a\nb"]) {
      await assert.rejects(
        services.projects.create({ name, organizationId }),
        errorOf("invalid", "INVALID_GROUP_NAME"),
      );
    }
  });

  test("an organization has 250 projects and not one more", async () => {
    const { services, metadata, organizationId } = await createDomainWorld();
    await metadata.transaction(async (records) => {
      for (let number = 1; number < 249; number += 1) {
        const id = number.toString(16).padStart(24, "0");
        await records.projects.insert(project({ id, organizationId, name: `P${number}` }));
      }
    });
    await services.projects.create({ name: "the 250th", organizationId });
    await assert.rejects(
      services.projects.create({ name: "the 251st", organizationId }),
      errorOf(
        "invalid",
        "MAX_GROUPS_PER_ORG_EXCEEDED",
        `Maximum number of groups per organization (250) in ${organizationId} exceeded while trying to add group.`,
        ["250", organizationId],
      ),
    );
  });

  test("tags: 50 with unique keys and 1 to 255 characters", async () => {
    const { services, organizationId } = await createDomainWorld();
    await services.projects.create({ name: "full", organizationId, tags: tags(50) });
    await services.projects.create({
      name: "long",
      organizationId,
      tags: [{ key: "k".repeat(255), value: "v".repeat(255) }],
    });
    const refused = [
      tags(51),
      [{ key: "", value: "v" }],
      [{ key: "k", value: "" }],
      [{ key: "k".repeat(256), value: "v" }],
      [{ key: "k", value: "v".repeat(256) }],
      [
        { key: "k", value: "a" },
        { key: "k", value: "b" },
      ],
    ];
    for (const list of refused) {
      const request = { name: "refused", organizationId, tags: list };
      await assert.rejects(services.projects.create(request), errorOf("invalid", "VALIDATION_ERROR"));
    }
  });

  test("two creations of one name at the same time make one project", async () => {
    const { services, organizationId } = await createDomainWorld();
    const create = () => services.projects.create({ name: "Twice", organizationId });
    const outcomes = await Promise.allSettled([create(), create()]);
    assert.deepEqual(outcomes.map((outcome) => outcome.status).toSorted(), ["fulfilled", "rejected"]);
  });
});

function tags(count: number) {
  return Array.from({ length: count }, (_, index) => ({ key: `k${index}`, value: "v" }));
}
