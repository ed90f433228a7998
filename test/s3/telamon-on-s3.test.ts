import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { after, before, test } from "node:test";
import { ListObjectsV2Command } from "@aws-sdk/client-s3";
import { MongoClient } from "mongodb";
import {
  apiCaller,
  restoreSnapshot,
  startTelamon,
  takeSnapshot,
  temporaryDataDirectory,
  type TelamonProcess,
} from "../support/telamon-process.ts";
import { missingServer, type S3Server, startS3Server } from "./versitygw.ts";
import { describeUnless } from "../support/describe-unless.ts";

const skip = (await missingServer()) ?? false;
const main = resolve(import.meta.dirname, "../../src/main.js");

async function run(
  ...commandLine: readonly string[]
): Promise<{ code: number | null; output: string; complaints: string }> {
  const child = spawn(process.execPath, [main, ...commandLine], { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  let complaints = "";
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (complaints += chunk.toString()));
  const [code] = (await once(child, "close")) as [number | null];
  return { code, output, complaints };
}

describeUnless(skip, "Telamon with its store in a bucket of a real S3 server", () => {
  const directory = temporaryDataDirectory();
  let server: S3Server;
  let flags: string[];
  let telamon: TelamonProcess | undefined;
  let snapshotId = "";
  let documents: string;

  const contents = async (): Promise<string> => {
    const { demo } = telamon?.credentials ?? {};
    await using client = await new MongoClient(demo?.connectionString ?? "").connect();
    const found: string[] = [];
    for (const { name: database } of (await client.db().admin().listDatabases()).databases) {
      if (["admin", "local", "config"].includes(database)) continue;
      for (const { name } of await client.db(database).listCollections().toArray())
        found.push(
          `${name} ${JSON.stringify(await client.db(database).collection(name).find().sort({ _id: 1 }).toArray())}`,
        );
    }
    return found.toSorted().join("\n");
  };

  before(async () => {
    server = await startS3Server();
    await server.makeBucket("backups");
    // As an operator gives them; the child processes have them from here.
    process.env.AWS_ACCESS_KEY_ID = server.credentials.accessKeyId;
    process.env.AWS_SECRET_ACCESS_KEY = server.credentials.secretAccessKey;
    flags = ["--blobs", "s3://backups/telamon", "--s3-endpoint", server.endpoint, "--data-dir", directory.path];
    telamon = await startTelamon(directory.path, ...flags.slice(0, 4), "--demo", "--engine-port-range", "29550-29590");
  });
  after(async () => {
    await telamon?.stop();
    await server?.stop();
    directory.remove();
  });

  test("snapshots are completed, and every object of them is in the bucket below the prefix; the master key stays here", async () => {
    const caller = await apiCaller((telamon as TelamonProcess).credentials);
    const instance = `/api/atlas/v2/groups/${telamon?.credentials.groupId}/serverless/Instance0`;
    const taken = await takeSnapshot(caller, instance);
    assert.equal(taken.status, "completed");
    snapshotId = taken.id;
    documents = await contents();
    assert.ok(documents.length > 1000);
    const keys = ((await server.client.send(new ListObjectsV2Command({ Bucket: "backups" }))).Contents ?? []).map(
      ({ Key }) => Key ?? "",
    );
    for (const start of ["format", "keys/", "packs/", "manifests/", "catalogue/"])
      assert.ok(
        keys.some((key) => key.startsWith(`telamon/${start}`)),
        start,
      );
    assert.ok(keys.every((key) => key.startsWith("telamon/")));
    assert.ok(existsSync(join(directory.path, "master.key")));
    assert.ok(!existsSync(join(directory.path, "store")));
  });

  test("snapshots, verify, export and gc work beside the running server", async () => {
    const listed = await run("snapshots", "--json", ...flags);
    assert.ok(
      (JSON.parse(listed.output) as { snapshots: { id: string }[] }).snapshots.some(({ id }) => id === snapshotId),
    );
    const verified = await run("verify", ...flags);
    assert.match(verified.output, /2 snapshots: all is well/, verified.complaints);
    const folder = join(directory.path, "dump");
    assert.equal((await run("export", snapshotId, "--output", folder, ...flags)).code, 0);
    assert.ok(readdirSync(folder, { recursive: true, encoding: "utf8" }).some((name) => name.endsWith(".bson")));
    assert.match((await run("gc", ...flags)).output, /^deleted \d+ objects/);
    assert.equal((await run("keys", "rotate", ...flags)).code, 4);
  });

  test("drill, gc and keys work with the server stopped, too", async () => {
    assert.equal(await telamon?.stop(), 0);
    telamon = undefined;
    const drilled = await run("drill", snapshotId, ...flags);
    assert.match(drilled.output, /proven restorable/, drilled.complaints);
    assert.match((await run("gc", ...flags)).output, /deleted 0 objects/);
    assert.equal((await run("keys", "rotate", ...flags)).code, 0);
    assert.equal((await run("verify", ...flags)).code, 0);
  });

  test("on a new machine that has the master key alone, recover brings every snapshot back from S3, and it restores byte for byte", async () => {
    const masterKey = readFileSync(join(directory.path, "master.key"));
    rmSync(directory.path, { recursive: true });
    mkdirSync(directory.path, { mode: 0o700 });
    writeFileSync(join(directory.path, "master.key"), masterKey, { mode: 0o600 });
    const recovered = await run("recover", "--json", ...flags);
    assert.equal(recovered.code, 0, recovered.complaints);
    assert.equal((JSON.parse(recovered.output) as { snapshotIds: string[] }).snapshotIds.length, 2);
    telamon = await startTelamon(directory.path, ...flags.slice(0, 4), "--demo", "--engine-port-range", "29550-29590");
    const { credentials } = telamon;
    const caller = await apiCaller(credentials);
    const instance = `/api/atlas/v2/groups/${credentials.groupId}/serverless/Instance0`;
    const target = { snapshotId, targetClusterName: "Instance0", targetGroupId: credentials.groupId };
    assert.equal((await restoreSnapshot(caller, instance, target)).failed, false);
    assert.equal(await contents(), documents);
  });

  test("an empty prefix beside used metadata is refused at the start, and wrong credentials are told without showing them", async () => {
    await telamon?.stop();
    telamon = undefined;
    const elsewhere = ["--blobs", "s3://backups/elsewhere", ...flags.slice(2)];
    const refused = await run("serve", "--port", "0", ...elsewhere);
    assert.equal(refused.code, 1);
    assert.match(refused.complaints, /s3:\/\/backups\/elsewhere\/ is empty/);
    process.env.AWS_SECRET_ACCESS_KEY = "another-secret-than-the-servers";
    const locked = await run("serve", "--port", "0", ...flags);
    assert.equal(locked.code, 1);
    assert.match(locked.complaints, /the secret access key is wrong/);
    assert.ok(!`${locked.complaints}${locked.output}`.includes("another-secret"));
  });

  test("with object lock, gc and keys tell what the server keeps, and go on", async () => {
    process.env.AWS_SECRET_ACCESS_KEY = server.credentials.secretAccessKey;
    await server.makeBucket("vault", { withObjectLock: true });
    const other = temporaryDataDirectory();
    const store = ["--blobs", "s3://vault", "--s3-endpoint", server.endpoint, "--s3-object-lock", "compliance:1"];
    const all = [...store, "--data-dir", other.path];
    try {
      telamon = await startTelamon(other.path, ...store, "--demo", "--engine-port-range", "29550-29590");
      const caller = await apiCaller(telamon.credentials);
      const instance = `/api/atlas/v2/groups/${telamon.credentials.groupId}/serverless/Instance0`;
      const { id } = await takeSnapshot(caller, instance);
      assert.equal((await caller.request("DELETE", `${instance}/backup/snapshots/${id}`)).status, 204);
      assert.equal(await telamon.stop(), 0);
      telamon = undefined;
      const swept = await run("gc", "--grace-hours", "0", ...all);
      assert.equal(swept.code, 0, swept.complaints);
      assert.match(
        swept.output,
        /deleted 0 objects.*\nwaiting: \d+ objects[^]*locked by the store, with what belongs to them: \d+ objects/,
      );
      const rotated = await run("keys", "rotate", ...all);
      assert.equal(rotated.code, 1, rotated.complaints);
      assert.match(
        rotated.output,
        /THE OLD ONE STILL OPENS THE STORE: .* locked until 20\d\d-.*telamon keys remove [0-9a-f]{16}/,
      );
      assert.match((await run("verify", ...all)).output, /all is well/, "the new key opens it");
    } finally {
      await telamon?.stop();
      telamon = undefined;
      other.remove();
    }
  });
});
