import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type HostedDatabases, openHostedDatabases } from "../../../test/support/hosted-databases.ts";
import { SourceUnusable } from "../../ports/source-probe.ts";
import { allowedHosts, type HostRules } from "../../shared/allowed-hosts.ts";
import { connectClient } from "./connect-client.ts";
import { createMongoProbe } from "./probe.ts";

const never = new AbortController().signal;

describe("connecting to a deployment elsewhere", () => {
  let databases: HostedDatabases;
  let login: string;
  let port: number;
  let replicaSet: string;
  before(async () => {
    databases = await openHostedDatabases();
    const deployment = databases.deployment();
    const address = await databases.host.start(deployment);
    ({ port, replicaSetName: replicaSet } = address);
    login = /\/\/([^@]+)@/.exec(await databases.host.systemConnectionString(deployment.id))?.[1] ?? "";
  });
  after(() => databases.close());

  async function failureOf(connectionString: string, rules: HostRules): Promise<SourceUnusable> {
    const options = { serverSelectionTimeoutMs: 1500, allowedHosts: allowedHosts(rules) };
    return connectClient(connectionString, options, never).then(
      async ({ close }) => {
        await close();
        return assert.fail("it connected");
      },
      (error: unknown) => {
        assert.ok(error instanceof SourceUnusable, String(error));
        const [, password = ""] = login.split(":");
        assert.ok(!error.message.includes(password) && !String(error.cause).includes(password));
        return error;
      },
    );
  }
  const through = (host: string, more = "directConnection=true"): string =>
    `mongodb://${login}@${host}:${port}/?${more}`;

  test("goes where it may, by a name that is listed and by an address that is", async () => {
    for (const [host, rules] of [
      ["127.0.0.1", "any"],
      ["127.0.0.1", ["127.0.0.0/8"]],
      ["localhost", ["localhost"]],
      ["localhost", ["127.0.0.1", "::1"]],
    ] as const) {
      const options = { serverSelectionTimeoutMs: 5000, allowedHosts: allowedHosts(rules) };
      const { client, close } = await connectClient(through(host), options, never);
      assert.equal((await client.db("admin").command({ ping: 1 }))["ok"], 1);
      await close();
    }
  });

  test("a name that leads to an address that is not listed is not connected to", async () => {
    assert.match((await failureOf(through("localhost"), ["10.0.0.0/8"])).message, /does not let localhost be reached/);
  });

  test("a member that a server tells of is not connected to when it may not be reached", async () => {
    // The set tells that its member is at 127.0.0.1, which nobody listed.
    const failure = await failureOf(through("localhost", `replicaSet=${replicaSet}`), ["localhost"]);
    assert.match(failure.message, /does not let 127\.0\.0\.1 be reached/);
  });

  test("nobody there, another set, and TLS that is not spoken all read the same, and a wrong password says that alone", async () => {
    const [nobody, otherSet, tls] = await Promise.all([
      failureOf(`mongodb://${login}@127.0.0.1:1/?directConnection=true`, "any"),
      failureOf(through("127.0.0.1", "replicaSet=other"), "any"),
      failureOf(through("127.0.0.1", "directConnection=true&tls=true"), "any"),
    ]);
    assert.match(nobody.message, /^No suitable server of the deployment could be used within 2 s/);
    assert.deepEqual([otherSet.message, tls.message], [nobody.message, nobody.message]);
    const [user] = login.split(":");
    const wrong = `mongodb://${user}:wrong@127.0.0.1:${port}/?directConnection=true`;
    assert.match((await failureOf(wrong, "any")).message, /does not accept the user and password/);
  });

  test("a user who may read too little is told which roles it needs", async () => {
    const limited = await openHostedDatabases();
    try {
      const deployment = limited.deployment();
      const address = await limited.host.start(deployment);
      const probe = createMongoProbe(allowedHosts("any"), 3000);
      // Nobody is logged in.
      await assert.rejects(
        probe.probe(`mongodb://127.0.0.1:${address.port}/?directConnection=true`, never),
        (error: Error) => error instanceof SourceUnusable && /the role backup, or readAnyDatabase/.test(error.message),
      );
    } finally {
      await limited.close();
    }
  });
});
