import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { operations } from "../../src/operations/index.ts";
import { type ApiWorld, createApiWorld, type Principal } from "../support/api-world.ts";

const unknownId = "0123456789abcdef01234567";
const projectOperations = operations.filter((operation) => operation.access.scope === "project");

/** An operation's path with something in the place of every parameter. */
function pathOf(route: string, projectId: string): string {
  return route
    .replaceAll("{groupId}", projectId)
    .replaceAll(/\{(clusterName|name)\}/g, "Instance0")
    .replaceAll("{databaseName}", "admin")
    .replaceAll(/\{[A-Za-z]+\}/g, unknownId);
}

describe("who may do what", () => {
  let world: ApiWorld;
  let reader: Principal;
  let nobody: Principal;
  before(async () => {
    world = await createApiWorld();
    reader = await world.principal({ scope: "project", scopeId: world.projectId, roleName: "GROUP_READ_ONLY" });
    nobody = await world.principal({ scope: "organization", scopeId: world.organizationId, roleName: "ORG_MEMBER" });
  });
  after(() => world.close());

  test("there are operations to try", () => {
    assert.ok(operations.length >= 20 && projectOperations.length >= 15);
  });

  for (const { operationId, method, route } of operations) {
    test(`${operationId}: without credentials it is 401 with digest challenges, MD5 first, and says nothing else`, async () => {
      const { status, headers, text } = await world.request(method, pathOf(route, world.projectId));
      assert.equal(status, 401);
      assert.match(
        headers.get("www-authenticate") ?? "",
        /^Digest realm="MMS Public API", domain="", nonce="[A-Za-z0-9+/]{32}", algorithm=MD5, qop="auth", stale=false/,
      );
      assert.equal(
        text,
        '{\n  "error" : 401,\n  "reason" : "Unauthorized",\n  "detail" : "You are not authorized for this resource.",\n  "errorCode" : "UNEXPECTED_ERROR"\n}',
      );
    });
  }

  for (const { operationId, method, route } of projectOperations) {
    test(`${operationId}: a project one has no role in answers as one that does not exist`, async () => {
      for (const as of [nobody, reader]) {
        const foreign = await world.request(method, pathOf(route, world.foreignProjectId), { as });
        const missing = await world.request(method, pathOf(route, unknownId), { as });
        assert.equal(foreign.status, 404);
        assert.equal(missing.status, 404);
        assert.equal(foreign.text.replaceAll(world.foreignProjectId, unknownId), missing.text);
        assert.equal(foreign.json.errorCode, "GROUP_NOT_FOUND");
      }
      assert.equal(
        (await world.request(method, pathOf(route, world.projectId), { as: nobody })).json.errorCode,
        "GROUP_NOT_FOUND",
      );
    });
  }

  for (const { operationId, method, route } of projectOperations.filter((operation) => operation.method !== "GET")) {
    test(`${operationId}: reading alone is not enough`, async () => {
      const { status, json } = await world.request(method, pathOf(route, world.projectId), {
        as: reader,
        ...(method === "DELETE" ? {} : { body: "{}" }),
      });
      assert.equal(status, 401);
      assert.equal(json.errorCode, "USER_UNAUTHORIZED");
    });
  }

  test("Project Read Only is enough to list and get", async () => {
    assert.equal(
      (await world.request("GET", `/api/atlas/v2/groups/${world.projectId}/serverless`, { as: reader })).status,
      200,
    );
    assert.equal((await world.request("GET", `/api/atlas/v2/groups/${world.projectId}`, { as: reader })).status, 200);
    assert.equal(
      (
        await world.request("GET", `/api/atlas/v2/groups/${world.projectId}/serverless/None/backup/snapshots`, {
          as: reader,
        })
      ).json.errorCode,
      "SERVERLESS_INSTANCE_NOT_FOUND",
    );
  });

  test("a list of projects holds those one has a role in and no others", async () => {
    const { json } = await world.request("GET", "/api/atlas/v2/groups", { as: reader });
    assert.deepEqual(
      (json.results as { id: string }[]).map(({ id }) => id),
      [world.projectId],
    );
    assert.equal((await world.request("GET", "/api/atlas/v2/groups", { as: nobody })).json.totalCount, 0);
  });

  test("a malformed project id tells no more than an unknown one", async () => {
    for (const id of ["zzz", "0123456789ABCDEF01234567", "..%2f", "a".repeat(5000)]) {
      const { status, json } = await world.request("GET", `/api/atlas/v2/groups/${id}/serverless`, { as: reader });
      assert.equal(status, 404);
      assert.equal(json.errorCode, "GROUP_NOT_FOUND");
    }
  });
});
