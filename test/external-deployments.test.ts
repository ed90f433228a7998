import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { BSON, type Document, Double, Long, MongoClient } from "mongodb";
import {
  type ApiCaller,
  apiCaller,
  eventually,
  startTelamon,
  type TelamonProcess,
  temporaryDataDirectory,
} from "./support/telamon-process.ts";

/** Any answer of the extension's operations. */
type Answer = Record<string, never> & {
  readonly id: string;
  readonly status: string;
  readonly errorCode: string;
  readonly detail: string;
  readonly results: readonly { readonly name: string; readonly id: string }[];
};

describe("a deployment that runs elsewhere, here another Telamon", () => {
  const [data, elsewhereData] = [temporaryDataDirectory(), temporaryDataDirectory()];
  let telamon: TelamonProcess;
  let elsewhere: TelamonProcess;
  let caller: ApiCaller;
  let base: string;
  let restores: string;
  let groupId: string;
  let connectionString: string;
  let password: string;
  let client: MongoClient;
  before(async () => {
    elsewhere = await startTelamon(elsewhereData.path, "--demo", "--engine-port-range", "29100-29139");
    telamon = await startTelamon(data.path, "--engine-port-range", "29140-29180");
    ({ groupId } = telamon.credentials);
    base = `/api/telamon/v1/groups/${groupId}/externalDeployments`;
    restores = `/api/telamon/v1/groups/${groupId}/deployments/Shop/restoreJobs`;
    caller = await apiCaller(telamon.credentials);
    connectionString = elsewhere.credentials.demo?.connectionString ?? "";
    password = elsewhere.credentials.demo?.password ?? "";
    client = await new MongoClient(connectionString).connect();
  });
  after(async () => {
    await client.close();
    await Promise.all([telamon.stop(), elsewhere.stop()]);
    data.remove();
    elsewhereData.remove();
  });
  const call = async (method: string, path: string, body?: unknown) => {
    const answer = await caller.request(method, path, body);
    return { status: answer.status, body: answer.body as Answer };
  };
  const snapshotNow = async (name: string): Promise<Answer> => {
    const { status, body } = await call("POST", `${base}/${name}/snapshots`, { retentionInDays: 1 });
    assert.equal(status, 200, JSON.stringify(body));
    return eventually("the snapshot to end", async () => {
      const now = (await call("GET", `${base}/${name}/snapshots/${body.id}`)).body;
      return ["completed", "failed"].includes(now.status) ? now : undefined;
    });
  };

  test("is attached by its connection string, which is tried and never shown again", async () => {
    const { status, body } = await call("POST", base, { name: "Shop", connectionString });
    assert.equal(status, 201, JSON.stringify(body));
    const shown = body as unknown as { readonly hosts: string[]; readonly probe: Document };
    assert.match(shown.hosts.join(), /^127\.0\.0\.1:291\d\d$/);
    assert.deepEqual(
      { ...shown.probe, probedAt: undefined },
      {
        consistency: "exact",
        mongoDBVersion: "8.0.0",
        operationLogReadable: true,
        snapshotReads: true,
        succeeded: true,
        topology: "replicaSet",
        probedAt: undefined,
      },
    );
    for (const path of [base, `${base}/Shop`]) {
      const seen = await caller.request("GET", path);
      assert.equal(seen.status, 200);
      assert.doesNotMatch(JSON.stringify(seen.body), /mongodb:|@/);
      assert.ok(!JSON.stringify(seen.body).includes(password));
    }
  });

  test("stands readable in no file of the data folder", () => {
    const files = readdirSync(data.path, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    assert.ok(files.length > 3);
    for (const file of files)
      assert.ok(!readFileSync(join(file.parentPath, file.name)).includes(password), `${file.name} holds the password`);
  });

  test("is backed up at one time, and restores byte for byte into an instance", async () => {
    const odd = { _id: 1, "2": "two", "1": "one", zero: new Double(-0), long: Long.fromNumber(7), one: new Double(1) };
    await client
      .db("far")
      .collection("things")
      .insertOne(odd as never);
    await client.db("far").collection("things").createIndex({ zero: -1 }, { name: "by zero", sparse: true });
    const snapshot = (await snapshotNow("Shop")) as unknown as Document;
    assert.equal(snapshot["status"], "completed", JSON.stringify(snapshot));
    assert.deepEqual([snapshot["consistency"], snapshot["mongodVersion"]], ["exact", "8.0.0"]);
    assert.ok((snapshot["clusterTime"] as { readonly seconds: number }).seconds > 1_700_000_000);
    await client.db("far").collection("things").insertOne({ later: true });
    const serverless = `/api/atlas/v2/groups/${groupId}/serverless`;
    await call("POST", serverless, {
      name: "Target",
      providerSettings: { backingProviderName: "AWS", providerName: "SERVERLESS", regionName: "US_EAST_1" },
    });
    const target = await eventually("the target", async () => {
      const { body } = await caller.request("GET", `${serverless}/Target`);
      const { stateName, connectionStrings } = body as {
        readonly stateName: string;
        readonly connectionStrings: { readonly standard: string };
      };
      return stateName === "IDLE" ? connectionStrings.standard : undefined;
    });
    const started = await call("POST", restores, {
      snapshotId: snapshot["id"],
      targetKind: "serverless",
      targetName: "Target",
    });
    assert.equal(started.status, 200, JSON.stringify(started.body));
    const job = await eventually("the restore", async () => {
      const { body } = await call("GET", `${restores}/${started.body.id}`);
      return body.status === "inProgress" ? undefined : body;
    });
    assert.equal(job.status, "completed", JSON.stringify(job));
    assert.equal((await call("GET", restores)).body.results.length, 1);
    await call("POST", `/api/atlas/v2/groups/${groupId}/databaseUsers`, {
      databaseName: "admin",
      username: "reader",
      password: "a long password",
      roles: [{ databaseName: "admin", roleName: "readAnyDatabase" }],
    });
    const restored = new MongoClient(target, { auth: { username: "reader", password: "a long password" } });
    try {
      const things = restored.db("far").collection("things");
      const [bytes, ...others] = (await things.find({}, { raw: true }).toArray()) as unknown as Uint8Array[];
      const [original] = (await client
        .db("far")
        .collection("things")
        .find({}, { raw: true })
        .sort({ _id: 1 })
        .limit(1)
        .toArray()) as unknown as Uint8Array[];
      assert.equal(others.length, 0);
      assert.ok(Buffer.from(bytes ?? []).equals(original ?? new Uint8Array(1)));
      assert.ok(BSON.deserialize(bytes ?? new Uint8Array()));
      assert.deepEqual(
        (await things.indexes()).map(({ name, sparse }) => [name, sparse]),
        [
          ["_id_", undefined],
          ["by zero", true],
        ],
      );
    } finally {
      await restored.close();
    }
  });

  test("the vendor's operations neither show it nor take its name for an instance's", async () => {
    const serverless = `/api/atlas/v2/groups/${groupId}/serverless`;
    const { body } = await call("GET", serverless);
    assert.deepEqual(
      body.results.map(({ name }) => name),
      ["Target"],
    );
    for (const [method, path] of [
      ["GET", `${serverless}/Shop`],
      ["GET", `${serverless}/Shop/backup/snapshots`],
      ["DELETE", `${serverless}/Shop`],
    ] as const)
      assert.equal((await call(method, path)).body.errorCode, "SERVERLESS_INSTANCE_NOT_FOUND");
    assert.equal((await call("GET", `${base}/Target`)).body.errorCode, "EXTERNAL_DEPLOYMENT_NOT_FOUND");
    assert.equal((await call("GET", `${base}/Target/snapshots`)).body.errorCode, "EXTERNAL_DEPLOYMENT_NOT_FOUND");
    assert.equal(
      (await call("POST", base, { name: "Target", connectionString })).body.errorCode,
      "DUPLICATE_CLUSTER_NAME",
    );
  });

  test("a string that cannot be used is refused with a sentence that shows nothing of it", async () => {
    const wrongPassword = connectionString.replace(encodeURIComponent(password), "wrong-secret");
    assert.notEqual(wrongPassword, connectionString);
    for (const [given, code, words] of [
      [wrongPassword, "EXTERNAL_DEPLOYMENT_NOT_USABLE", /does not accept the user and password/],
      ["mongodb://user:wrong-secret@169.254.169.254/", "HOST_NOT_ALLOWED", /169\.254\.169\.254/],
      ["mongodb://user:wrong-secret@h/?tlsCAFile=/etc/passwd", "CONNECTION_STRING_INVALID", /tlsCAFile reads a file/],
    ] as const) {
      const { status, body } = await call("POST", base, { name: "Wrong", connectionString: given });
      assert.deepEqual([body.errorCode, [400, 403].includes(status)], [code, true], JSON.stringify(body));
      assert.match(body.detail, words);
      assert.doesNotMatch(JSON.stringify(body), /wrong-secret/);
    }
    assert.equal((await call("GET", `${base}/Wrong`)).status, 404);
    assert.equal(
      (await call("PATCH", `${base}/Shop`, { connectionString: wrongPassword })).body.errorCode,
      "EXTERNAL_DEPLOYMENT_NOT_USABLE",
    );
    assert.equal((await snapshotNow("Shop")).status, "completed", "the string before is still the true one");
  });

  test("detached, its snapshots stay and nothing new is taken; a new string attaches it again", async () => {
    const { body } = await call("GET", `${base}/Shop/snapshots`);
    assert.equal(body.results.length, 2);
    assert.equal((await call("DELETE", `${base}/Shop`)).status, 204);
    const detached = (await call("GET", `${base}/Shop`)).body as unknown as Document;
    assert.deepEqual(
      [detached["stateName"], detached["probe"], detached["nextBackupDate"]],
      ["DETACHED", undefined, undefined],
    );
    for (const path of ["snapshots", "probe"])
      assert.equal(
        (await call("POST", `${base}/Shop/${path}`, path === "probe" ? undefined : { retentionInDays: 1 })).body
          .errorCode,
        "EXTERNAL_DEPLOYMENT_DETACHED",
      );
    assert.equal((await call("GET", `${base}/Shop/snapshots`)).body.results.length, 2);
    const again = await call("PATCH", `${base}/Shop`, { connectionString, backupPolicy: "SERVERLESS_BASIC" });
    assert.deepEqual([again.status, (again.body as unknown as Document)["stateName"]], [200, "IDLE"]);
    assert.equal((await snapshotNow("Shop")).status, "completed");
  });

  test("a probe says what it found, also that nobody answers", async () => {
    const stopped = temporaryDataDirectory();
    const soonGone = await startTelamon(stopped.path, "--demo", "--engine-port-range", "29181-29199");
    try {
      const gone = { name: "Gone", connectionString: soonGone.credentials.demo?.connectionString };
      assert.equal((await call("POST", base, gone)).status, 201);
    } finally {
      await soonGone.stop();
      stopped.remove();
    }
    const { status, body } = await call("POST", `${base}/Gone/probe`);
    assert.equal(status, 200);
    const { probe } = body as unknown as { readonly probe: Document };
    assert.equal(probe["succeeded"], false);
    assert.match(String(probe["failureReason"]), /^No suitable server of the deployment could be used within 10 s/);
    assert.equal(probe["consistency"], undefined);
  });

  test("with deleteSnapshots nothing of it stays, and its name is free", async () => {
    assert.equal((await call("DELETE", `${base}/Shop?deleteSnapshots=true`)).status, 204);
    await eventually("it to be gone", async () =>
      (await call("GET", `${base}/Shop`)).status === 404 ? true : undefined,
    );
    assert.equal((await call("POST", base, { name: "Shop", connectionString })).status, 201);
  });
});

describe("a server whose operator lets nothing be attached", () => {
  test("says so", async () => {
    const data = temporaryDataDirectory();
    const telamon = await startTelamon(data.path, "--external-hosts", "none");
    try {
      const caller = await apiCaller(telamon.credentials);
      const { status, body } = await caller.request(
        "POST",
        `/api/telamon/v1/groups/${telamon.credentials.groupId}/externalDeployments`,
        { name: "Shop", connectionString: "mongodb://127.0.0.1:1/" },
      );
      assert.deepEqual([status, (body as Answer).errorCode], [403, "EXTERNAL_DEPLOYMENTS_OFF"]);
    } finally {
      await telamon.stop();
      data.remove();
    }
  });
});
