import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { connect } from "node:tls";
import { MongoClient } from "mongodb";
import {
  apiCaller,
  startTelamon,
  takeSnapshot,
  type TelamonProcess,
  temporaryDataDirectory,
} from "./support/telamon-process.ts";
import { describeUnless } from "./support/describe-unless.ts";

const hasOpenssl = spawnSync("openssl", ["version"]).status === 0;

describeUnless(!hasOpenssl && "there is no openssl to make a certificate with", "databases that speak TLS", () => {
  const data = temporaryDataDirectory();
  const [certificatePath, keyPath] = [join(data.path, "server.pem"), join(data.path, "server.key")];
  let telamon: TelamonProcess;
  let plainUri: string;
  before(async () => {
    const made = spawnSync(
      "openssl",
      `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=telamon -addext subjectAltName=IP:127.0.0.1 -keyout ${keyPath} -out ${certificatePath}`.split(
        " ",
      ),
      { encoding: "utf8" },
    );
    assert.equal(made.status, 0, made.stderr);
    telamon = await startTelamon(
      join(data.path, "data"),
      "--demo",
      "--engine-tls-certificate",
      certificatePath,
      "--engine-tls-key",
      keyPath,
    );
    plainUri = (telamon.credentials.demo?.connectionString ?? "").replace("&tls=true", "");
  });
  after(async () => {
    await telamon.stop();
    data.remove();
  });

  test("a driver that trusts the certificate reads the demo's data by the connection string as it is given", async () => {
    const uri = telamon.credentials.demo?.connectionString ?? "";
    assert.match(uri, /[?&]tls=true(&|$)/);
    const client = new MongoClient(uri, { tlsCAFile: certificatePath, serverSelectionTimeoutMS: 10_000 });
    try {
      const { databases } = await client.db("admin").admin().listDatabases();
      assert.ok(databases.some(({ name }) => name.startsWith("sample")));
    } finally {
      await client.close();
    }
  });

  test("one that does not trust it, or speaks plainly, gets nowhere", async () => {
    for (const uri of [telamon.credentials.demo?.connectionString ?? "", plainUri]) {
      const client = new MongoClient(uri, { serverSelectionTimeoutMS: 700 });
      await assert.rejects(client.connect());
      await client.close();
    }
  });

  test("versions before 1.2 are refused", async () => {
    const port = Number(/:(\d+)\//.exec(plainUri)?.[1]);
    const code = await new Promise((fulfil) => {
      const socket = connect(
        {
          port,
          host: "127.0.0.1",
          rejectUnauthorized: false,
          minVersion: "TLSv1",
          maxVersion: "TLSv1.1",
          ciphers: "DEFAULT@SECLEVEL=0",
        },
        () => fulfil("connected"),
      );
      socket.on("error", (error: NodeJS.ErrnoException) => fulfil(error.code));
    });
    assert.notEqual(code, "connected");
  });

  test("snapshots of them complete", async () => {
    const caller = await apiCaller(telamon.credentials);
    const { status } = await takeSnapshot(
      caller,
      `/api/atlas/v2/groups/${telamon.credentials.groupId}/serverless/Instance0`,
    );
    assert.equal(status, "completed");
  });
});

describeUnless(!hasOpenssl && "there is no openssl", "a certificate that cannot be used", () => {
  const start = (...flags: readonly string[]): { readonly status: number | null; readonly stderr: string } => {
    const data = temporaryDataDirectory();
    try {
      return spawnSync(
        process.execPath,
        [join(import.meta.dirname, "../src/main.js"), "serve", "--port", "0", "--data-dir", data.path, ...flags],
        { encoding: "utf8" },
      );
    } finally {
      data.remove();
    }
  };

  test("ends the start with exit code 2 and a message that says which file, and nothing of the key", () => {
    const missing = start("--engine-tls-certificate", "/nowhere/a.pem", "--engine-tls-key", "/nowhere/a.key");
    assert.equal(missing.status, 2);
    assert.match(missing.stderr, /\/nowhere\/a\.pem cannot be read \(ENOENT\)/);
    const alone = start("--engine-tls-certificate", "/nowhere/a.pem");
    assert.equal(alone.status, 2);
    assert.match(alone.stderr, /have to be given together/);
    const wrong = start("--engine-tls-certificate", import.meta.filename, "--engine-tls-key", import.meta.filename);
    assert.equal(wrong.status, 2);
    assert.match(wrong.stderr, /must be PEM files/);
  });
});
