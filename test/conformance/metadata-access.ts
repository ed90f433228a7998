import assert from "node:assert/strict";
import { test } from "node:test";
import type { RoleAssignment } from "../../src/ports/metadata/access-records.ts";
import type { Metadata } from "../../src/ports/metadata/metadata.ts";
import { apiKey, idOf, organizationId, projectId, serviceAccount } from "../support/records.ts";

const tokenHash = Uint8Array.from({ length: 32 }, (_, index) => index);

export function accessPromises(metadata: () => Metadata): void {
  test("an API key is found by its public key, with its roles", async () => {
    await metadata().access.insertApiKey(apiKey());
    assert.deepEqual(await metadata().access.findApiKeyByPublicKey("abcdefgh"), apiKey());
    assert.equal(await metadata().access.findApiKeyByPublicKey("abcdefgx"), undefined);
    const bare = apiKey({ id: idOf(1), publicKey: "zzzzzzzz", roles: [] });
    await metadata().access.insertApiKey(bare);
    assert.deepEqual(await metadata().access.findApiKeyByPublicKey("zzzzzzzz"), bare);
  });

  test("a token brings its account with every secret and every role once", async () => {
    const account = serviceAccount();
    await metadata().access.insertServiceAccount(account);
    assert.deepEqual(await metadata().access.findServiceAccount(account.clientId), account);
    const token = { tokenHash, clientId: account.clientId, expiresAtMs: 5000 };
    await metadata().access.insertToken(token);
    assert.deepEqual(await metadata().access.findToken(tokenHash), { token, account });
    assert.equal(await metadata().access.findToken(tokenHash.slice(1)), undefined);
  });

  test("an account without secrets or roles is found with empty lists", async () => {
    const account = serviceAccount({ secrets: [], roles: [] });
    await metadata().access.insertServiceAccount(account);
    assert.deepEqual(await metadata().access.findServiceAccount(account.clientId), account);
    assert.equal(await metadata().access.findServiceAccount("mdb_sa_id_unknown"), undefined);
  });

  test("the use of a secret is recorded on that secret alone", async () => {
    const account = serviceAccount();
    await metadata().access.insertServiceAccount(account);
    await metadata().access.recordSecretUse(account.clientId, idOf(0xe1), 77);
    const found = await metadata().access.findServiceAccount(account.clientId);
    assert.deepEqual(
      found?.secrets.map((secret) => secret.lastUsedAtMs),
      [77, 1_767_225_600_002],
    );
  });

  test("roles that are there already are not added again", async () => {
    await metadata().access.insertApiKey(apiKey());
    const added: RoleAssignment = { scope: "project", scopeId: projectId, roleName: "GROUP_OWNER" };
    const owner: RoleAssignment = { scope: "organization", scopeId: organizationId, roleName: "ORG_OWNER" };
    await metadata().access.addRoles(idOf(0xd0), [added, owner]);
    await metadata().access.addRoles(idOf(0xd0), [added]);
    const roles = (await metadata().access.findApiKeyByPublicKey("abcdefgh"))?.roles ?? [];
    assert.deepEqual(roles.map((role) => role.roleName).toSorted(), ["GROUP_OWNER", "ORG_OWNER"]);
  });

  test("tokens: only the live are counted, only the owner deletes, the expired are swept", async () => {
    const { access } = metadata();
    const account = serviceAccount();
    const other = serviceAccount({ clientId: "mdb_sa_id_other", secrets: [], roles: [] });
    await access.insertServiceAccount(account);
    await access.insertServiceAccount(other);
    const hashes = [1, 2, 3].map((byte) => Uint8Array.of(byte));
    for (const [index, hash] of hashes.entries()) {
      await access.insertToken({ tokenHash: hash, clientId: account.clientId, expiresAtMs: 1000 + index });
    }
    assert.equal(await access.countTokens(account.clientId, 1000), 2);
    assert.equal(await access.countTokens(other.clientId, 0), 0);
    await access.deleteToken(Uint8Array.of(3), other.clientId);
    assert.notEqual(await access.findToken(Uint8Array.of(3)), undefined);
    await access.deleteToken(Uint8Array.of(3), account.clientId);
    assert.equal(await access.findToken(Uint8Array.of(3)), undefined);
    assert.equal(await access.deleteExpiredTokens(1000), 1);
    assert.equal(await access.countTokens(account.clientId, 0), 1);
  });
}
