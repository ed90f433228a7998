import assert from "node:assert/strict";
import { resolve } from "node:path";
import { describe, test } from "node:test";
import { ConfigurationError, readConfiguration, settings } from "./configuration.ts";

describe("configuration", () => {
  test("without flags and variables the documented defaults hold", () => {
    const configuration = readConfiguration([], {});
    assert.equal(configuration.host, "127.0.0.1");
    assert.equal(configuration.port, 8080);
    assert.equal(configuration.dataDirectory, resolve("./data"));
    assert.deepEqual(configuration.enginePortRange, { first: 27_100, last: 27_999 });
    assert.equal(configuration.metadata.path, resolve("./data/metadata.sqlite"));
    assert.equal(configuration.demo, false);
    assert.equal(configuration.externalHosts, "any");
  });

  test("a flag wins over its environment twin, which wins over the default", () => {
    const environment = { TELAMON_PORT: "9000", TELAMON_DATA_DIR: "/srv/telamon" };
    assert.equal(readConfiguration(["--port", "9001"], environment).port, 9001);
    assert.equal(readConfiguration(["--port=9002"], environment).port, 9002);
    assert.equal(readConfiguration([], environment).port, 9000);
    assert.equal(readConfiguration([], environment).dataDirectory, "/srv/telamon");
  });

  test("every setting has an environment twin and a sentence", () => {
    for (const setting of settings) {
      assert.match(setting.environmentVariable, /^TELAMON_[A-Z0-9_]+$/);
      assert.match(setting.description, /\.$/);
    }
  });

  const refused: readonly (readonly [string, readonly string[], RegExp])[] = [
    ["an unknown flag", ["--prot", "1"], /unknown flag --prot/],
    ["a word that is no flag", ["serve"], /unknown flag serve/],
    ["a flag without a value", ["--port"], /--port needs a value/],
    ["a flag given twice", ["--port", "1", "--port", "2"], /--port is given twice/],
    ["a port above the range", ["--port", "65536"], /--port must be/],
    ["a port that is no number", ["--port", "http"], /--port must be/],
    ["a host that is no address", ["--host", "example.com"], /--host must be/],
    ["a host rule that is none", ["--external-hosts", "10.0.0.0/8,http://x"], /--external-hosts takes .*not http/],
    ["a port range that runs backwards", ["--engine-port-range", "200-100"], /--engine-port-range must be/],
    ["a port range from 0", ["--engine-port-range", "0-100"], /--engine-port-range must be/],
    ["a public URL with a query", ["--public-url", "http://a/?b"], /--public-url must be/],
    [
      "a metadata database that is not built",
      ["--metadata", "postgres://user:secret@host/db"],
      /postgres: is not built yet/,
    ],
    ["a bucket's name that is none", ["--blobs", "s3://Bucket"], /--blobs must be s3:\/\/BUCKET/],
    ["a store in S3 without a bucket", ["--blobs", "s3://"], /--blobs must be s3:\/\/BUCKET/],
    ["a prefix with an empty segment", ["--blobs", "s3://bucket/a//b"], /the prefix in --blobs/],
    [
      "a prefix of 501 letters",
      ["--blobs", `s3://bucket/${"p".repeat(501)}`],
      /the prefix in --blobs must be at most 500/,
    ],
    ["an endpoint that is no URL", ["--blobs", "s3://bucket", "--s3-endpoint", "host:9000"], /--s3-endpoint must be/],
    ["an unknown addressing", ["--blobs", "s3://bucket", "--s3-addressing", "dns"], /--s3-addressing must be one of/],
    ["a lock without days", ["--blobs", "s3://bucket", "--s3-object-lock", "compliance"], /--s3-object-lock must be/],
    ["a lock of 0 days", ["--blobs", "s3://bucket", "--s3-object-lock", "governance:0"], /--s3-object-lock must be/],
    ["a lock of 36501 days", ["--blobs", "s3://bucket", "--s3-object-lock", "compliance:36501"], /with 1 to 36500/],
    ["settings of S3 for a store of files", ["--s3-object-lock", "governance:3"], /need --blobs s3:\/\/BUCKET/],
    ["a role split", ["--roles", "api"], /not built yet/],
    ["a log level that is none", ["--log-level", "loud"], /--log-level must be one of/],
  ];
  for (const [name, flags, message] of refused) {
    test(`${name} is refused with a message that names it`, () => {
      assert.throws(
        () => readConfiguration(flags, {}),
        (error) => error instanceof ConfigurationError && message.test(error.message),
      );
    });
  }

  test("a refused metadata location never shows its password", () => {
    assert.throws(
      () => readConfiguration(["--metadata", "postgres://user:secret@host/db"], {}),
      (error) => error instanceof Error && !error.message.includes("secret"),
    );
  });

  test("a store in S3 has a bucket, a prefix that ends in a slash, and on AWS nothing else", () => {
    const aws = { kind: "s3", endpoint: undefined, region: undefined, pathStyle: false, objectLock: undefined };
    assert.deepEqual(readConfiguration(["--blobs", "s3://bucket"], {}).blobs, { ...aws, bucket: "bucket", prefix: "" });
    for (const text of ["s3://my.bucket-1/a/B_c", "s3://my.bucket-1/a/B_c/"])
      assert.deepEqual(readConfiguration([], { TELAMON_BLOBS: text }).blobs, {
        ...aws,
        bucket: "my.bucket-1",
        prefix: "a/B_c/",
      });
  });

  test("a store on a server of one's own has the bucket in the path, unless told otherwise", () => {
    const flags = ["--blobs", "s3://bucket", "--s3-endpoint", "https://s3.example.com/", "--s3-region", "garage"];
    const own = {
      kind: "s3",
      bucket: "bucket",
      prefix: "",
      endpoint: "https://s3.example.com",
      region: "garage",
      pathStyle: true,
      objectLock: { mode: "COMPLIANCE", days: 36_500 },
    };
    assert.deepEqual(readConfiguration([...flags, "--s3-object-lock", "compliance:36500"], {}).blobs, own);
    assert.deepEqual(readConfiguration([...flags, "--s3-addressing", "virtual"], {}).blobs, {
      ...own,
      pathStyle: false,
      objectLock: undefined,
    });
  });

  test("credentials in a location or an endpoint are refused, and never shown", () => {
    for (const flags of [
      ["--blobs", "s3://key:secret@bucket/prefix"],
      ["--blobs", "s3://bucket", "--s3-endpoint", "https://key:secret@host"],
    ])
      assert.throws(
        () => readConfiguration(flags, {}),
        (error) => error instanceof ConfigurationError && !error.message.includes("secret@"),
      );
  });

  for (const [text, every] of [
    ["never", "never"],
    ["always", 1],
    ["1", 1],
    ["999999", 999_999],
    ["0", undefined],
    ["1000000", undefined],
    ["often", undefined],
  ] as const) {
    test(`a check of increments ${text} is ${every === undefined ? "refused" : "taken"}`, () => {
      const read = () => readConfiguration(["--increment-check", text], {}).incrementCheckEvery;
      if (every === undefined) assert.throws(read, /--increment-check must be never, always or a number/);
      else assert.equal(read(), every);
    });
  }

  test("all problems are reported together", () => {
    assert.throws(
      () => readConfiguration(["--port", "x", "--host", "y"], {}),
      /--host must be.*\n.*--port must be|--port must be[\s\S]*--host must be/,
    );
  });

  for (const [port, good] of [
    ["0", true],
    ["65535", true],
    ["65536", false],
  ] as const) {
    test(`port ${port} is ${good ? "taken" : "refused"}`, () => {
      if (good) assert.equal(readConfiguration(["--port", port], {}).port, Number(port));
      else assert.throws(() => readConfiguration(["--port", port], {}), ConfigurationError);
    });
  }
});
