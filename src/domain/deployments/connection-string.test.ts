import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { AppError } from "../../shared/app-error.ts";
import { parseConnectionString } from "./connection-string.ts";

const refusal = (text: string): string => {
  try {
    parseConnectionString(text);
  } catch (error) {
    assert.ok(error instanceof AppError);
    assert.equal(error.code, "CONNECTION_STRING_INVALID");
    return error.message;
  }
  return assert.fail(`${text} was taken`);
};

describe("a connection string", () => {
  for (const [given, text, hosts] of [
    ["mongodb://localhost", "mongodb://localhost:27017/", ["localhost:27017"]],
    [" mongodb://a:1,b.example.com:65535/ \n", "mongodb://a:1,b.example.com:65535/", ["a:1", "b.example.com:65535"]],
    ["mongodb://[::1]:27018/admin", "mongodb://[::1]:27018/admin", ["[::1]:27018"]],
    [
      "mongodb+srv://u:p%40ss@db.example.com/?retryWrites=true&w=majority&appName=Cluster0",
      "mongodb+srv://u:p%40ss@db.example.com/?retryWrites=true&w=majority&appName=Cluster0",
      ["db.example.com"],
    ],
    [
      "mongodb://u:p@h/?TLS=true&replicaset=rs0&readPreference=secondary",
      "mongodb://u:p@h:27017/?tls=true&replicaSet=rs0&readPreference=secondary",
      ["h:27017"],
    ],
    ["mongodb://u@h/?authMechanism=PLAIN&tls=true", "mongodb://u@h:27017/?authMechanism=PLAIN&tls=true", ["h:27017"]],
    [
      "mongodb://127.0.0.1:27017/?directConnection=true&serverSelectionTimeoutMS=2000&appName=mongosh+2.0",
      "mongodb://127.0.0.1:27017/?directConnection=true&serverSelectionTimeoutMS=2000&appName=mongosh%2B2.0",
      ["127.0.0.1:27017"],
    ],
  ] as const)
    test(`${given.trim()} is written anew from its parts`, () => {
      const parsed = parseConnectionString(given);
      assert.deepEqual([parsed.text, parsed.hosts], [text, hosts]);
    });

  test("its host names are told without ports and brackets, for whoever decides which may be reached", () => {
    assert.deepEqual(parseConnectionString("mongodb://[fe80::1]:1,a.b:2").hostNames, ["fe80::1", "a.b"]);
  });

  for (const option of [
    "tlsCAFile=/etc/passwd",
    "tlscafile=/x",
    "tls%43AFile=/x",
    "tlsCertificateKeyFile=/x",
    "tlsCertificateKeyFilePassword=x",
    "tlsCRLFile=/x",
    "tlsInsecure=true",
    "tlsAllowInvalidCertificates=true",
    "tlsAllowInvalidHostnames=true",
    "proxyHost=h",
    "readConcernLevel=local",
    "mongodbLogPath=/tmp/x",
    "srvAllowedHostsSuffix=com",
    "authMechanism=MONGODB-OIDC",
    "authMechanism=MONGODB-AWS",
    "authMechanism=GSSAPI",
    "authMechanism=MONGODB-X509",
    "authMechanism=PLAIN",
    "authMechanismProperties=ENVIRONMENT:azure",
    "w=0",
    "w=1",
    "journal=false",
    "autoEncryption=x",
    "compressors=snappy",
    "tls=maybe",
    "tls=true&ssl=false",
    "replicaSet=a&replicaset=b",
    "unknown=1",
    "timeoutMS=1",
  ])
    test(`is refused with ${option}`, () => {
      refusal(`mongodb://u:p@h/?${option}`);
    });

  for (const wrong of [
    "",
    "localhost",
    "http://h",
    "mongodb://",
    "mongodb:///tmp/mongodb.sock",
    "mongodb://%2Ftmp%2Fmongodb.sock",
    "mongodb://h:0",
    "mongodb://h:65536",
    "mongodb://h:x",
    "mongodb://a,,b",
    "mongodb+srv://a,b",
    "mongodb+srv://a:27017",
    "mongodb+srv://10.0.0.1",
    "mongodb://u:p:q@h",
    "mongodb://:p@h",
    "mongodb://u:%zz@h",
    "mongodb://[not]:1",
    "mongodb://h/?authMechanism=SCRAM-SHA-256",
    `mongodb://h/${"x".repeat(4096)}`,
    `mongodb://${Array.from({ length: 51 }, (_, index) => `h${index}`).join(",")}`,
  ])
    test(`${wrong.slice(0, 60)} is refused`, () => {
      refusal(wrong);
    });

  test("no refusal shows anything of the password, however it was written", () => {
    for (const wrong of [
      "mongodb://u:geheim@x@h",
      "mongodb://u:geheim:x@h",
      "mongodb://u:geheim?x@h",
      "mongodb://u:ge&heim=1@h/?geheim=1",
      "mongodb://u:geheim%@h",
      "mongodb://u:p@h/?tls=geheim",
      "geheim",
    ])
      assert.doesNotMatch(refusal(wrong), /geheim|heim/);
  });
});
