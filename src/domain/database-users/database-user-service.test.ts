import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createDomainWorld, errorOf, everything } from "../../../test/support/domain-world.ts";
import { databaseUser, idOf } from "../../../test/support/records.ts";
import { createDatabaseUserDirectory } from "./database-user-directory.ts";
import type { CreateDatabaseUser } from "./database-user-service.ts";

const dayMs = 24 * 3_600_000;

function request(changes: Partial<CreateDatabaseUser> = {}): CreateDatabaseUser {
  return {
    username: "alice",
    databaseName: "admin",
    password: "correct horse",
    roles: [{ roleName: "readWriteAnyDatabase", databaseName: "admin" }],
    ...changes,
  };
}

function role(roleName: string, databaseName: string, collectionName?: string): Partial<CreateDatabaseUser> {
  return { roles: [{ roleName, databaseName, ...(collectionName !== undefined && { collectionName }) }] };
}

describe("database users", () => {
  test("a created user is found and listed; its password is nowhere in the record", async () => {
    const { services, projectId } = await createDomainWorld();
    const extras = {
      scopes: [{ name: "Instance0", type: "CLUSTER" as const }],
      labels: [{ key: "team", value: "core" }],
      description: "the shop",
    };
    const created = await services.databaseUsers.create(projectId, request(extras));
    assert.deepEqual(await services.databaseUsers.get(projectId, "admin", "alice"), created);
    assert.deepEqual((await services.databaseUsers.list(projectId, everything)).items, [created]);
    assert.deepEqual(
      [created.scopes, created.labels, created.description],
      [extras.scopes, extras.labels, extras.description],
    );
    assert.ok(!JSON.stringify(created).includes("correct horse"));
  });

  test("a taken name is a conflict, also when both come at once; an unknown one is not found", async () => {
    const { services, projectId } = await createDomainWorld();
    const create = () => services.databaseUsers.create(projectId, request());
    const outcomes = await Promise.allSettled([create(), create()]);
    assert.deepEqual(outcomes.map((outcome) => outcome.status).toSorted(), ["fulfilled", "rejected"]);
    await assert.rejects(
      create(),
      errorOf("conflict", "USER_ALREADY_EXISTS", "A user with username alice already exists.", ["alice"]),
    );
    const unknown = errorOf("not_found", "USERNAME_NOT_FOUND", "No user with username bob exists.", ["bob"]);
    await assert.rejects(services.databaseUsers.get(projectId, "admin", "bob"), unknown);
    await assert.rejects(services.databaseUsers.update(projectId, "admin", "bob", {}), unknown);
    await assert.rejects(services.databaseUsers.delete(projectId, "admin", "bob"), unknown);
  });

  test("an update changes what it names; a new password changes the keys and nothing else", async () => {
    const { services, projectId } = await createDomainWorld();
    const before = await services.databaseUsers.create(projectId, request({ description: "old" }));
    const roles = [{ roleName: "read", databaseName: "shop", collectionName: "orders" }];
    const renamed = await services.databaseUsers.update(projectId, "admin", "alice", { roles, username: "alice" });
    assert.deepEqual(renamed, { ...before, roles });
    const rekeyed = await services.databaseUsers.update(projectId, "admin", "alice", { password: "another one" });
    assert.notDeepEqual(rekeyed.credential, before.credential);
    assert.deepEqual({ ...rekeyed, credential: before.credential }, renamed);
    await services.databaseUsers.delete(projectId, "admin", "alice");
    assert.equal((await services.databaseUsers.list(projectId, everything)).totalCount, 0);
  });

  test("neither the name nor the authentication database can be changed", async () => {
    const { services, projectId } = await createDomainWorld();
    await services.databaseUsers.create(projectId, request());
    const update = (changes: object) => services.databaseUsers.update(projectId, "admin", "alice", changes);
    await assert.rejects(update({ username: "bob" }), errorOf("conflict", "DATABASE_USERNAME_CANNOT_BE_CHANGED"));
    await assert.rejects(update({ databaseName: "shop" }), errorOf("conflict", "DATABASE_NAME_CANNOT_BE_CHANGED"));
  });

  test("every way to log in but a password is refused plainly", async () => {
    const { services, projectId } = await createDomainWorld();
    const refused: Partial<CreateDatabaseUser>[] = [
      { x509Type: "MANAGED" },
      { ldapAuthType: "USER" },
      { awsIAMType: "ROLE" },
      { oidcAuthType: "USER" },
      { databaseName: "$external" },
    ];
    for (const changes of refused) {
      await assert.rejects(
        services.databaseUsers.create(projectId, request(changes)),
        errorOf("not_implemented", "FEATURE_UNSUPPORTED"),
      );
    }
    const none = { x509Type: "NONE", ldapAuthType: "NONE", awsIAMType: "NONE", oidcAuthType: "NONE" };
    await services.databaseUsers.create(projectId, request(none));
    await assert.rejects(
      services.databaseUsers.update(projectId, "admin", "alice", { x509Type: "CUSTOMER" }),
      errorOf("not_implemented", "FEATURE_UNSUPPORTED"),
    );
  });

  test("what is wrong in a request is named", async () => {
    const { services, projectId, clock } = await createDomainWorld();
    const inMs = (ms: number) => new Date(clock.nowMs() + ms).toISOString();
    const cases: readonly [Partial<CreateDatabaseUser>, string][] = [
      [{ password: undefined }, "MISSING_ATTRIBUTE"],
      [{ password: "1234567" }, "WEAK_PASSWORD"],
      [{ password: "x".repeat(1025) }, "INVALID_ATTRIBUTE"],
      [{ password: "lone \ud800 surrogate" }, "INVALID_ATTRIBUTE"],
      [{ username: "" }, "ATLAS_INVALID_USERNAME"],
      [{ username: "a\nb" }, "ATLAS_INVALID_USERNAME"],
      [{ username: "u".repeat(1025) }, "ATLAS_INVALID_USERNAME"],
      [{ databaseName: "shop" }, "DATABASE_NAME_INVALID_ADMIN"],
      [{ roles: undefined }, "MISSING_ATTRIBUTE"],
      [{ roles: [] }, "MISSING_ATTRIBUTE"],
      [role("root", "admin"), "ATLAS_INVALID_ROLE"],
      [role("atlasAdmin", "shop"), "ATLAS_INVALID_ROLE"],
      [role("atlasAdmin", "admin", "c"), "INVALID_ATTRIBUTE"],
      [role("read", "sh op"), "INVALID_ATTRIBUTE"],
      [role("read", ""), "INVALID_ATTRIBUTE"],
      [role("read", "d".repeat(64)), "INVALID_ATTRIBUTE"],
      [role("read", "shop", "a$b"), "INVALID_ATTRIBUTE"],
      [{ description: "d".repeat(101) }, "INVALID_ATTRIBUTE"],
      [{ labels: [{ key: "", value: "v" }] }, "INVALID_ATTRIBUTE"],
      [{ scopes: [{ name: "Instance0", type: "PLANET" as never }] }, "INVALID_ENUM_VALUE"],
      [{ scopes: [{ name: "a b", type: "CLUSTER" }] }, "INVALID_ATTRIBUTE"],
      [{ deleteAfterDate: "tomorrow" }, "INVALID_DATE_FORMAT"],
      [{ deleteAfterDate: "2026-13-01T00:00:00Z" }, "INVALID_DATE_FORMAT"],
      [{ deleteAfterDate: inMs(0) }, "EXPIRATION_DATE_IN_PAST"],
      [{ deleteAfterDate: inMs(7 * dayMs + 1) }, "VALIDATION_ERROR"],
    ];
    for (const [changes, code] of cases) {
      const refusal = errorOf("invalid", code);
      await assert.rejects(
        services.databaseUsers.create(projectId, request(changes)),
        refusal,
        JSON.stringify(changes),
      );
    }
    assert.equal((await services.databaseUsers.list(projectId, everything)).totalCount, 0);
  });

  test("the edges of what is allowed pass", async () => {
    const { services, projectId, clock } = await createDomainWorld();
    const create = (username: string, changes: Partial<CreateDatabaseUser> = {}) =>
      services.databaseUsers.create(projectId, request({ ...changes, username }));
    await create("u".repeat(1024), { password: "12345678" });
    await create("d", { description: "d".repeat(100), password: "x".repeat(1024) });
    const week = new Date(clock.nowMs() + 7 * dayMs).toISOString();
    assert.equal((await create("w", { deleteAfterDate: week })).deleteAfterMs, clock.nowMs() + 7 * dayMs);
    assert.equal(
      (await create("z", { deleteAfterDate: "2026-01-02T01:00:00+01:00" })).deleteAfterMs,
      Date.UTC(2026, 0, 2),
    );
  });

  test("a temporary user is gone at its time, and its name is free again", async () => {
    const { services, projectId, clock } = await createDomainWorld();
    const deleteAfterDate = new Date(clock.nowMs() + 1000).toISOString();
    await services.databaseUsers.create(projectId, request({ deleteAfterDate }));
    clock.advance(999);
    await services.databaseUsers.get(projectId, "admin", "alice");
    clock.advance(1);
    await assert.rejects(
      services.databaseUsers.get(projectId, "admin", "alice"),
      errorOf("not_found", "USERNAME_NOT_FOUND"),
    );
    assert.equal((await services.databaseUsers.create(projectId, request())).deleteAfterMs, undefined);
  });

  test("a project has 100 users and not one more", async () => {
    const { services, projectId, metadata } = await createDomainWorld();
    for (let number = 0; number < 99; number += 1) {
      await metadata.databaseUsers.insert(databaseUser({ projectId, username: `u${number}` }));
    }
    await services.databaseUsers.create(projectId, request());
    await assert.rejects(
      services.databaseUsers.create(projectId, request({ username: "bob" })),
      errorOf("forbidden", "GROUP_USERS_LIMIT_EXCEEDED", "Groups can contain at most 100 database users.", [100]),
    );
  });
});

describe("the directory of database users", () => {
  test("it answers for deployments in the user's scopes, until the user ends, and knows every change at once", async () => {
    const { services, projectId, metadata, clock, instance } = await createDomainWorld();
    const [inside, outside] = [await instance("Inside"), await instance("Outside")];
    const directory = createDatabaseUserDirectory({ metadata, clock });
    const deleteAfterDate = new Date(clock.nowMs() + 1000).toISOString();
    const scopes = [{ name: "Inside", type: "CLUSTER" as const }];
    const user = await services.databaseUsers.create(projectId, request({ scopes, deleteAfterDate }));
    const { credential, roles } = user;
    assert.deepEqual(await directory.findCredential(inside, "admin", "alice"), {
      username: "alice",
      credential,
      roles,
    });
    assert.equal(await directory.findCredential(outside, "admin", "alice"), undefined);
    assert.equal(await directory.findCredential(inside, "shop", "alice"), undefined);
    assert.equal(await directory.findCredential(inside, "admin", "bob"), undefined);
    assert.equal(await directory.findCredential(idOf(1), "admin", "alice"), undefined);
    await services.databaseUsers.update(projectId, "admin", "alice", { scopes: [] });
    assert.notEqual(await directory.findCredential(outside, "admin", "alice"), undefined);
    await services.databaseUsers.update(projectId, "admin", "alice", { scopes: [{ name: "Outside", type: "STREAM" }] });
    assert.equal(await directory.findCredential(outside, "admin", "alice"), undefined);
    await services.databaseUsers.update(projectId, "admin", "alice", { scopes: [] });
    clock.advance(1000);
    assert.equal(await directory.findCredential(inside, "admin", "alice"), undefined);
  });
});
