import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { failureOf } from "./s3-failure.ts";

/** An error as the SDK throws it. */
function thrown(name: string, httpStatusCode?: number, more: object = {}): Error {
  return Object.assign(new Error("said by the server\nand more"), { name, $metadata: { httpStatusCode }, ...more });
}

describe("what a failed request means", () => {
  for (const [name, status] of [
    ["SlowDown", 503],
    ["InternalError", 500],
    ["UnknownError", 502],
    ["TooManyRequestsException", 429],
    ["RequestTimeout", 400],
    ["BadDigest", 400],
    ["XAmzContentSHA256Mismatch", 400],
    ["RequestTimeTooSkewed", 403],
    ["ConditionalRequestConflict", 409],
    ["OperationAborted", 409],
  ] as const)
    test(`${name} (${status}) passes`, () => assert.equal(failureOf(thrown(name, status), false).mayPass, true));

  for (const [name, status] of [
    ["NoSuchKey", 404],
    ["AccessDenied", 403],
    ["SignatureDoesNotMatch", 403],
    ["PreconditionFailed", 412],
    ["InvalidRange", 416],
    ["InvalidRequest", 400],
    ["PermanentRedirect", 301],
    ["NotImplemented", 501],
  ] as const)
    test(`${name} (${status}) does not`, () => assert.equal(failureOf(thrown(name, status), false).mayPass, false));

  test("a connection that fails passes, a certificate that is not trusted does not, nor do missing credentials", () => {
    for (const code of ["ECONNRESET", "EPIPE", "ECONNREFUSED", "EAI_AGAIN", "ETIMEDOUT"])
      assert.equal(failureOf(Object.assign(new Error(code), { code }), false).mayPass, true, code);
    for (const code of ["CERT_HAS_EXPIRED", "DEPTH_ZERO_SELF_SIGNED_CERT", "UNABLE_TO_VERIFY_LEAF_SIGNATURE"])
      assert.equal(failureOf(Object.assign(new Error(code), { code }), false).mayPass, false, code);
    const missing = failureOf(thrown("CredentialsProviderError"), false);
    assert.equal(missing.mayPass, false);
    assert.match(missing.message, /there are no credentials: set AWS_ACCESS_KEY_ID/);
  });

  test("a region that is nowhere to be found is told with what to do", () => {
    const missing = failureOf(new Error("Region is missing"), false);
    assert.equal(missing.mayPass, false);
    assert.match(missing.message, /give --s3-region, or set AWS_REGION/);
  });

  test("an attempt that was cut by its deadline passes, whatever was thrown", () => {
    assert.deepEqual(failureOf(thrown("AbortError"), true), {
      code: "TimeoutError",
      message: "TimeoutError: there was no whole answer in time",
      status: undefined,
      mayPass: true,
      retryAfterMs: undefined,
    });
  });

  test("a refusal without a body is told by its status", () => {
    for (const name of ["403", "Forbidden", "UnknownError"])
      assert.equal(failureOf(thrown(name, 403), false).code, name === "UnknownError" ? name : "AccessDenied");
    assert.equal(failureOf(thrown("301", 301), false).code, "PermanentRedirect");
  });

  test("what the server asks to wait is known, and nothing but the first line of its message is kept", () => {
    const failure = failureOf(
      thrown("SlowDown", 503, { $response: { headers: { "retry-after": "7" } }, AWSAccessKeyId: "AKIA" }),
      false,
    );
    assert.equal(failure.retryAfterMs, 7000);
    assert.equal(failure.message, "SlowDown: said by the server");
    assert.ok(!JSON.stringify(failure).includes("AKIA"));
  });
});
