import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { nonceLifetimeMs } from "../../src/domain/access/digest-nonces.ts";
import { type ApiWorld, createApiWorld } from "../support/api-world.ts";

const path = "/api/atlas/v2/groups";

describe("HTTP digest", () => {
  let world: ApiWorld;
  before(async () => {
    world = await createApiWorld();
  });
  after(() => world.close());

  async function challenge(algorithm: string): Promise<{ realm: string; nonce: string }> {
    const { headers } = await world.request("GET", path);
    const found = [
      ...(headers.get("www-authenticate") ?? "").matchAll(
        /Digest realm="([^"]*)", domain="", nonce="([^"]*)", algorithm=([^,]*), qop="auth", stale=(true|false)/g,
      ),
    ].find((match) => match[3] === algorithm);
    return { realm: found?.[1] ?? "", nonce: found?.[2] ?? "" };
  }

  function header(
    algorithm: string,
    { realm, nonce }: { realm: string; nonce: string },
    changes: { user?: string; password?: string; uri?: string; count?: string; quoted?: boolean; qop?: string } = {},
  ): string {
    const hash = (text: string): string =>
      createHash(algorithm === "MD5" ? "md5" : "sha256")
        .update(text)
        .digest("hex");
    const {
      user = world.owner.publicKey,
      password = world.owner.privateKey,
      uri = path,
      count = "00000001",
      quoted = false,
      qop = "auth",
    } = changes;
    const response = hash(`${hash(`${user}:${realm}:${password}`)}:${nonce}:${count}:cafe:auth:${hash(`GET:${uri}`)}`);
    const plain = quoted ? `algorithm="${algorithm}"` : `algorithm=${algorithm}`;
    return `Digest username="${user}", realm="${realm}", nonce="${nonce}", uri="${uri}", response="${response}", ${plain}, qop=${qop}, nc=${count}, cnonce="cafe"`;
  }

  const call = async (authorization: string): Promise<{ status: number; stale: boolean }> => {
    const { status, headers } = await world.request("GET", path, { headers: { authorization } });
    return { status, stale: (headers.get("www-authenticate") ?? "").includes("stale=true") };
  };

  for (const algorithm of ["MD5", "SHA-256"]) {
    test(`${algorithm}: the right key gets in, with the algorithm quoted or not`, async () => {
      assert.equal((await call(header(algorithm, await challenge(algorithm)))).status, 200);
      assert.equal((await call(header(algorithm, await challenge(algorithm), { quoted: true }))).status, 200);
    });

    test(`${algorithm}: a wrong private key and an unknown public key get the same 401`, async () => {
      for (const changes of [{ password: "wrong" }, { user: "nobodyxx" }]) {
        assert.deepEqual(await call(header(algorithm, await challenge(algorithm), changes)), {
          status: 401,
          stale: false,
        });
      }
    });
  }

  test("a nonce's counter counts once, in any order", async () => {
    const found = await challenge("MD5");
    for (const count of ["00000001", "00000003", "00000002"])
      assert.equal((await call(header("MD5", found, { count }))).status, 200, count);
    for (const count of ["00000001", "00000002", "00000003"])
      assert.deepEqual(await call(header("MD5", found, { count })), { status: 401, stale: true }, count);
  });

  for (const [age, status, stale] of [
    [nonceLifetimeMs - 1, 200, false],
    [nonceLifetimeMs, 401, true],
    [nonceLifetimeMs + 1, 401, true],
  ] as const) {
    test(`a nonce of ${age} ms is ${status === 200 ? "good" : "stale"}`, async () => {
      const found = await challenge("MD5");
      world.clock.advance(age);
      assert.deepEqual(await call(header("MD5", found)), { status, stale });
    });
  }

  test("a nonce of somebody else, another target, another qop and a doubled directive are refused", async () => {
    const found = await challenge("MD5");
    const forged = { ...found, nonce: Buffer.alloc(24, 1).toString("base64") };
    assert.equal((await call(header("MD5", forged))).status, 401);
    assert.equal((await call(header("MD5", await challenge("MD5"), { uri: `${path}?x=1` }))).status, 401);
    assert.equal((await call(header("MD5", await challenge("MD5"), { qop: "auth-int" }))).status, 401);
    assert.equal((await call(`${header("MD5", await challenge("MD5"))}, nc=00000002`)).status, 401);
  });
});

describe("access tokens", () => {
  let world: ApiWorld;
  before(async () => {
    world = await createApiWorld();
  });
  after(() => world.close());

  test("a token is good for an hour and not a millisecond longer", async () => {
    world.clock.setNowMs(world.clock.nowMs() + 3_600_000 - 1);
    assert.equal((await world.request("GET", path, { as: world.owner })).status, 200);
    world.clock.setNowMs(world.clock.nowMs() + 1);
    assert.equal((await world.request("GET", path, { as: world.owner })).status, 401);
  });

  const form = (body: string, headers: Readonly<Record<string, string>> = {}): ReturnType<ApiWorld["request"]> =>
    world.request("POST", "/api/oauth/token", {
      body,
      headers: { "content-type": "application/x-www-form-urlencoded", ...headers },
    });
  const basic = (text: string): Readonly<Record<string, string>> => ({
    authorization: `Basic ${Buffer.from(text).toString("base64")}`,
  });

  const refusals: readonly (readonly [string, () => ReturnType<ApiWorld["request"]>, number, string])[] = [
    [
      "no credentials",
      () => form("grant_type=client_credentials"),
      400,
      '{"error_description":"The provided credentials are not valid.","error":"invalid_request"}',
    ],
    [
      "an unknown client",
      () => form("grant_type=client_credentials", basic("mdb_sa_id_0123456789abcdef01234567:secret")),
      401,
      '{"error_description":"Invalid credentials provided.","error":"invalid_client"}',
    ],
    [
      "another grant",
      () => form("grant_type=password", basic("a:b")),
      400,
      '{"error_description":"Invalid grant type.","error":"unsupported_grant_type"}',
    ],
    [
      "a header that is no Basic",
      () => form("grant_type=client_credentials", { authorization: "Bearer x" }),
      401,
      '{"error_description":"Invalid credentials provided.","error":"invalid_client"}',
    ],
    [
      "a parameter twice",
      () => form("grant_type=client_credentials&grant_type=client_credentials", basic("a:b")),
      400,
      '{"error_description":"The provided credentials are not valid.","error":"invalid_request"}',
    ],
  ];
  for (const [name, ask, status, text] of refusals) {
    test(`${name} is answered in OAuth's shape`, async () => {
      const answer = await ask();
      assert.equal(answer.status, status);
      assert.equal(answer.text, text);
      assert.equal(answer.headers.get("content-type"), "application/json");
      assert.equal(answer.headers.get("cache-control"), "no-store");
    });
  }
});

describe("rate limits", () => {
  test("a project's bucket takes 1200, refuses the next in the API's words, and refills by 500 after a minute", async () => {
    const world = await createApiWorld({ rateLimits: "atlas" });
    try {
      const users = `/api/atlas/v2/groups/${world.projectId}/databaseUsers`;
      for (let count = 1200; count > 0; count -= 1) {
        const { status, headers } = await world.request("GET", users, { as: world.owner });
        if (status !== 200 || headers.get("ratelimit-remaining") !== String(count - 1))
          assert.fail(`${status} with ${headers.get("ratelimit-remaining")} at ${count}`);
      }
      const refused = await world.request("GET", users, { as: world.owner });
      assert.equal(refused.status, 429);
      assert.equal(refused.headers.get("retry-after"), "60");
      assert.equal(refused.json.errorCode, "RATE_LIMITED_TOKEN_BUCKET");
      assert.equal(
        refused.json.detail,
        `Rate limit exceeded for ${users.slice(1)}. Please retry after 60 seconds. Request capacity: 1200. Refill rate: 500 per 60 seconds.`,
      );
      world.clock.advance(60_000);
      assert.equal((await world.request("GET", users, { as: world.owner })).headers.get("ratelimit-remaining"), "499");
    } finally {
      await world.close();
    }
  });
});
