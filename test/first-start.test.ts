import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { after, before, describe, test } from "node:test";
import { apiCaller, startTelamon, temporaryDataDirectory, type TelamonProcess } from "./support/telamon-process.ts";

const main = resolve(import.meta.dirname, "../src/main.js");

describe("the first start", () => {
  const data = temporaryDataDirectory();
  let telamon: TelamonProcess;
  before(async () => {
    telamon = await startTelamon(data.path);
  });
  after(async () => {
    await telamon.stop();
    data.remove();
  });

  test("credentials.json has the documented shape and is readable by its owner alone", () => {
    const path = join(data.path, "credentials.json");
    const credentials = JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>;
    assert.deepEqual(Object.keys(credentials), ["baseUrl", "orgId", "groupId", "apiKey", "serviceAccount"]);
    assert.match(telamon.credentials.orgId, /^[a-f0-9]{24}$/);
    assert.match(telamon.credentials.groupId, /^[a-f0-9]{24}$/);
    assert.match(telamon.credentials.apiKey.publicKey, /^[a-z]{8}$/);
    assert.match(
      telamon.credentials.apiKey.privateKey,
      /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
    assert.match(telamon.credentials.serviceAccount.clientId, /^mdb_sa_id_[a-fA-F\d]{24}$/);
    assert.match(telamon.credentials.serviceAccount.clientSecret, /^mdb_sa_sk_[A-Za-z0-9_-]{40}$/);
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.equal(statSync(data.path).mode & 0o777, 0o700);
  });

  test("the ready line carries the URL that credentials.json carries, and healthz answers 200 there", async () => {
    assert.equal(telamon.output.at(-1), `telamon ready ${telamon.credentials.baseUrl}`);
    assert.equal((await fetch(`${telamon.credentials.baseUrl}/healthz`)).status, 200);
    assert.equal((await fetch(`${telamon.credentials.baseUrl}/readyz`)).status, 200);
  });

  test("the principals are Organization Owner and see the one project", async () => {
    const caller = await apiCaller(telamon.credentials);
    const { status, body } = await caller.request("GET", "/api/atlas/v2/groups");
    assert.equal(status, 200);
    const { results, totalCount } = body as { results: { id: string; orgId: string }[]; totalCount: number };
    assert.equal(totalCount, 1);
    assert.equal(results[0]?.id, telamon.credentials.groupId);
    assert.equal(results[0]?.orgId, telamon.credentials.orgId);
  });

  test("no secret is printed and none stands readable in any file but credentials.json", () => {
    const secrets = [telamon.credentials.apiKey.privateKey, telamon.credentials.serviceAccount.clientSecret];
    for (const secret of secrets) {
      assert.ok(!telamon.output.some((line) => line.includes(secret)), "a secret was printed");
      const found = spawnSync("grep", ["-rlaF", "--", secret, data.path], { encoding: "utf8" })
        .stdout.trim()
        .split("\n")
        .filter(Boolean);
      assert.deepEqual(found, [join(data.path, "credentials.json")]);
    }
  });

  test("a second process on the same folder is refused with a message that says why", () => {
    const second = spawnSync(process.execPath, [main, "serve", "--port", "0", "--data-dir", data.path], {
      encoding: "utf8",
      timeout: 20_000,
    });
    assert.equal(second.status, 1);
    assert.match(second.stderr, /another process|already|in use|locked/i);
  });
});

describe("starting again", () => {
  test("the same principals are still good and credentials.json keeps them", async () => {
    const data = temporaryDataDirectory();
    try {
      const first = await startTelamon(data.path);
      assert.equal(await first.stop(), 0, "SIGTERM ends with 0");
      const second = await startTelamon(data.path);
      try {
        assert.deepEqual(second.credentials.apiKey, first.credentials.apiKey);
        assert.deepEqual(second.credentials.serviceAccount, first.credentials.serviceAccount);
        assert.equal((await (await apiCaller(second.credentials)).request("GET", "/api/atlas/v2")).status, 200);
      } finally {
        await second.stop();
      }
    } finally {
      data.remove();
    }
  });

  test("an unknown flag is an error that names it, and nothing is made", () => {
    const result = spawnSync(process.execPath, [main, "serve", "--prot", "1"], { encoding: "utf8" });
    assert.equal(result.status, 2);
    assert.match(result.stderr, /unknown flag --prot/);
  });

  test("a taken port is a message, not a stack trace", async () => {
    const data = temporaryDataDirectory();
    const other = temporaryDataDirectory();
    const telamon = await startTelamon(data.path);
    try {
      const port = new URL(telamon.credentials.baseUrl).port;
      const result = spawnSync(process.execPath, [main, "serve", "--port", port, "--data-dir", other.path], {
        encoding: "utf8",
        timeout: 20_000,
      });
      assert.equal(result.status, 1);
      assert.match(result.stderr, /^telamon: .*(in use|EADDRINUSE)/m);
      assert.doesNotMatch(result.stderr, /\n\s+at /);
    } finally {
      await telamon.stop();
      data.remove();
      other.remove();
    }
  });
});
