import assert from "node:assert/strict";
import { connect } from "node:net";
import { after, before, describe, test } from "node:test";
import { accept, type ApiWorld, createApiWorld } from "../support/api-world.ts";

describe("bad input", () => {
  let world: ApiWorld;
  let list: string;
  let groups: string;
  before(async () => {
    world = await createApiWorld();
    groups = "/api/atlas/v2/groups";
    list = `${groups}/${world.projectId}/serverless`;
    await world.request("POST", list, {
      as: world.owner,
      body: JSON.stringify({
        name: "Instance0",
        providerSettings: { backingProviderName: "AWS", regionName: "US_EAST_1" },
      }),
    });
  });
  // Closing fails when the server logged a failure of its own: no input may cause one.
  after(() => world.close());

  async function refused(answer: ReturnType<ApiWorld["request"]>, status: number, errorCode: string): Promise<void> {
    const { status: got, headers, json, text } = await answer;
    assert.equal(got, status, text);
    assert.equal(json.errorCode, errorCode);
    assert.equal(headers.get("content-type"), "application/json");
    assert.equal(headers.get("x-error-code"), errorCode);
    assert.deepEqual(Object.keys(json), ["detail", "error", "errorCode", "parameters", "reason"]);
    assert.equal(json.error, status);
  }

  const badParameters: readonly (readonly [string, string])[] = [
    ["pageNum", "0"],
    ["pageNum", "-1"],
    ["pageNum", "1.5"],
    ["pageNum", "x"],
    ["pageNum", ""],
    ["pageNum", "99999999999"],
    ["pageNum", "1e3"],
    ["itemsPerPage", "0"],
    ["itemsPerPage", "501"],
    ["itemsPerPage", "-5"],
    ["itemsPerPage", "all"],
    ["itemsPerPage", "%00"],
    ["includeCount", "yes"],
    ["includeCount", "1"],
    ["includeCount", ""],
    ["envelope", "TRUE"],
    ["pretty", "maybe"],
  ];
  for (const [name, value] of badParameters) {
    test(`${name}=${value} is refused by name`, () =>
      refused(world.request("GET", `${list}?${name}=${value}`, { as: world.owner }), 400, "INVALID_QUERY_PARAMETER"));
  }
  for (const [value, good] of [
    ["1", true],
    ["500", true],
    ["501", false],
  ] as const) {
    test(`itemsPerPage=${value} is ${good ? "taken" : "refused"}`, async () => {
      assert.equal(
        (await world.request("GET", `${list}?itemsPerPage=${value}`, { as: world.owner })).status,
        good ? 200 : 400,
      );
    });
  }
  test("a parameter given twice is refused, one that is not known is passed over", async () => {
    await refused(
      world.request("GET", `${list}?pageNum=1&pageNum=2`, { as: world.owner }),
      400,
      "INVALID_QUERY_PARAMETER",
    );
    assert.equal((await world.request("GET", `${list}?whatever=1`, { as: world.owner })).status, 200);
  });

  const badBodies: readonly (readonly [string, string, string])[] = [
    ["nothing", "", "MALFORMED_JSON"],
    ["no JSON", "{", "MALFORMED_JSON"],
    ["a lone word", "hello", "MALFORMED_JSON"],
    ["a list", "[]", "INVALID_JSON"],
    ["a number", "5", "INVALID_JSON"],
    ["null", "null", "INVALID_JSON"],
    ["no name", '{"orgId":"x"}', "MISSING_ATTRIBUTE"],
    ["a name of a wrong type", '{"name":5,"orgId":"x"}', "INVALID_JSON_ATTRIBUTE"],
    ["an unknown field", '{"name":"a","orgId":"x","colour":"red"}', "INVALID_ATTRIBUTE"],
    ["a poisoned prototype", '{"name":"a","orgId":"x","__proto__":{"admin":true}}', "MALFORMED_JSON"],
    [
      "10,000 levels",
      `{"name":"a","orgId":"x","links":${"[".repeat(10_000)}${"]".repeat(10_000)}}`,
      "NOT_ORG_GROUP_CREATOR",
    ],
    ["a body of 10,000 levels that is none", "[".repeat(10_000), "MALFORMED_JSON"],
  ];
  for (const [name, body, code] of badBodies) {
    test(`a body with ${name} is refused as ${code}`, async () => {
      const { status, json } = await world.request("POST", groups, { as: world.owner, body });
      assert.ok(status >= 400 && status < 500, String(status));
      assert.equal(json.errorCode, code);
    });
  }

  for (const [size, status] of [
    [1_048_575, 400],
    [1_048_576, 400],
    [1_048_577, 413],
  ] as const) {
    test(`a body of ${size} bytes is answered ${status}`, async () => {
      const frame = '{"name":"","orgId":"x","colour":1}';
      const body = frame.replace('"name":""', `"name":"${"n".repeat(size - frame.length)}"`);
      assert.equal(Buffer.byteLength(body), size);
      assert.equal((await world.request("POST", groups, { as: world.owner, body })).status, status);
    });
  }

  test("a body of another content type is refused", () =>
    refused(
      world.request("POST", groups, { as: world.owner, body: "<a/>", headers: { "content-type": "text/xml" } }),
      415,
      "UNSUPPORTED_MEDIA_TYPE",
    ));
  test("a versioned content type is taken", async () => {
    const body = JSON.stringify({ name: "Versioned", orgId: world.organizationId });
    assert.equal(
      (
        await world.request("POST", groups, {
          as: world.owner,
          body,
          headers: { "content-type": `${accept};charset=utf-8` },
        })
      ).status,
      201,
    );
  });

  for (const type of [
    "",
    "*/*",
    "application/json",
    "application/vnd.atlas.2023-13-01+json",
    "application/vnd.atlas.2022-12-31+json",
    "application/vnd.atlas.2023-01-01+csv",
    "application/vnd.atlas.2023-01-01+json;q=0",
  ]) {
    test(`Accept: ${type || "(empty)"} is 406`, () =>
      refused(world.request("GET", list, { as: world.owner, headers: { accept: type } }), 406, "INVALID_VERSION_DATE"));
  }
  for (const type of [
    "application/vnd.atlas.2023-10-01+json",
    "application/vnd.atlas.2025-03-12+json",
    "text/html, application/vnd.atlas.2023-01-01+json;q=0.5",
  ]) {
    test(`Accept: ${type} is answered with the newest version not after it`, async () => {
      const { status, headers } = await world.request("GET", list, { as: world.owner, headers: { accept: type } });
      assert.equal(status, 200);
      assert.equal(headers.get("content-type"), "application/vnd.atlas.2023-01-01+json;charset=utf-8");
    });
  }

  test("an unknown path, a bad escape and a wrong method are answered in shape", async () => {
    await refused(world.request("GET", "/api/atlas/v2/nothing", { as: world.owner }), 404, "RESOURCE_NOT_FOUND");
    await refused(world.request("GET", `${groups}/%ZZ`, { as: world.owner }), 400, "INVALID_PATH_PARAMETER");
    const wrong = await world.request("PUT", list, { as: world.owner, body: "{}" });
    assert.equal(wrong.status, 405);
    assert.equal(wrong.text, "");
    assert.equal(wrong.headers.get("allow"), "POST,GET,OPTIONS");
  });

  test("a bad instance name in the path is refused", async () => {
    for (const name of ["-a", "a_b", "a".repeat(65), "%00", "a%2fb"]) {
      const { status } = await world.request("GET", `${list}/${name}/backup/snapshots`, { as: world.owner });
      assert.equal(status, 400, name);
    }
    await refused(
      world.request("GET", `${list}/${"a".repeat(64)}/backup/snapshots`, { as: world.owner }),
      404,
      "SERVERLESS_INSTANCE_NOT_FOUND",
    );
  });

  test("a snapshot id that is none, and one that is not there, are both 404", async () => {
    await refused(
      world.request("GET", `${list}/Instance0/backup/snapshots/xyz`, { as: world.owner }),
      404,
      "INVALID_SNAPSHOT_ID",
    );
    await refused(
      world.request("GET", `${list}/Instance0/backup/snapshots/0123456789abcdef01234567`, { as: world.owner }),
      404,
      "SNAPSHOT_NOT_FOUND",
    );
  });

  const rawRequests: readonly (readonly [string, string, RegExp])[] = [
    [
      "a URL of a megabyte",
      `GET /api/atlas/v2/groups?x=${"a".repeat(1_000_000)} HTTP/1.1\r\nHost: a\r\n\r\n`,
      /^HTTP\/1\.1 431 [\s\S]*"error":431/,
    ],
    [
      "a header of a megabyte",
      `GET /api/atlas/v2/groups HTTP/1.1\r\nHost: a\r\nX-Long: ${"a".repeat(1_000_000)}\r\n\r\n`,
      /^HTTP\/1\.1 431 [\s\S]*"error":431/,
    ],
    ["bytes that are no HTTP", "\u0000\u0001nonsense\r\n\r\n", /^HTTP\/1\.1 400 [\s\S]*"error":400/],
    [
      "two different content lengths",
      "POST /api/atlas/v2/groups HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
      /^HTTP\/1\.1 400 [\s\S]*"error":400/,
    ],
    [
      "two Accept headers",
      `GET /api/atlas/v2/groups HTTP/1.1\r\nHost: a\r\nAccept: ${accept}\r\nAccept: ${accept}\r\nConnection: close\r\n\r\n`,
      /^HTTP\/1\.1 401 /,
    ],
    [
      "two Authorization headers",
      "GET /api/atlas/v2/groups HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer a\r\nAuthorization: Bearer b\r\nConnection: close\r\n\r\n",
      /^HTTP\/1\.1 401 /,
    ],
    ["no Host", "GET /api/atlas/v2/groups HTTP/1.1\r\n\r\n", /^HTTP\/1\.1 400 /],
  ];
  for (const [name, bytes, expected] of rawRequests) {
    test(`${name} gets an answer and no hang`, async () => {
      assert.match(await raw(world.baseUrl, bytes), expected);
    });
  }
});

/** Sends bytes as they are and reads until the server closes. */
function raw(baseUrl: string, bytes: string): Promise<string> {
  return new Promise((fulfil, reject) => {
    const socket = connect(Number(new URL(baseUrl).port), "127.0.0.1");
    let answer = "";
    socket.setTimeout(10_000, () => reject(new Error("the server hung")));
    socket.on("data", (piece) => {
      answer += piece.toString();
    });
    socket.on("error", () => undefined);
    socket.on("close", () => fulfil(answer));
    socket.write(bytes);
  });
}
