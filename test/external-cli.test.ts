import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { runTelamon, type RunOptions, type Ran } from "./support/run-telamon.ts";
import {
  apiCaller,
  startTelamon,
  takeSnapshot,
  type TelamonProcess,
  temporaryDataDirectory,
} from "./support/telamon-process.ts";

describe("telamon deployments", () => {
  const [data, elsewhereData] = [temporaryDataDirectory(), temporaryDataDirectory()];
  let telamon: TelamonProcess;
  let elsewhere: TelamonProcess;
  let connectionString: string;
  let snapshotId: string;
  const run = (words: readonly string[], options: RunOptions = {}): Promise<Ran> =>
    runTelamon(["deployments", ...words, "--data-dir", data.path], options);
  before(async () => {
    elsewhere = await startTelamon(elsewhereData.path, "--demo", "--engine-port-range", "29200-29239");
    telamon = await startTelamon(data.path, "--demo", "--engine-port-range", "29240-29279");
    connectionString = elsewhere.credentials.demo?.connectionString ?? "";
  });
  after(async () => {
    await Promise.all([telamon.stop(), elsewhere.stop()]);
    data.remove();
    elsewhereData.remove();
  });

  /** The demo's instance, and a snapshot of it. */
  async function instanceSnapshot() {
    const { groupId, demo } = telamon.credentials;
    const instance = demo?.instance ?? "";
    const { id } = await takeSnapshot(
      await apiCaller(telamon.credentials),
      `/api/atlas/v2/groups/${groupId}/serverless/${instance}`,
    );
    return { project: groupId, instance, instanceSnapshotId: id };
  }

  test("attaches with a string from standard input, a file or a variable, and shows none of it", async () => {
    const file = join(data.path, "string");
    writeFileSync(file, `${connectionString}\n`, { mode: 0o600 });
    for (const [name, words, options] of [
      ["FromInput", [], { input: `${connectionString}\n` }],
      ["FromFile", ["--connection-string-file", file], {}],
      [
        "FromVariable",
        ["--connection-string-env", "MY_STRING", "--json"],
        { environment: { MY_STRING: connectionString } },
      ],
    ] as const) {
      const { code, output, complaints } = await run(["attach", name, ...words], options);
      assert.equal(code, 0, complaints);
      assert.match(output, /exact/);
      assert.ok(!`${output}${complaints}`.includes(elsewhere.credentials.demo?.password ?? ""));
    }
    const { output } = await run(["list"]);
    assert.match(
      output,
      /^NAME +STATE +HOSTS +TOPOLOGY +VERSION +CONSISTENCY +NEXT\nFromInput +IDLE +127\.0\.0\.1:\d+ +replicaSet +8\.0\.0 +exact/,
    );
    const listed = JSON.parse((await run(["list", "--json"])).output) as {
      readonly deployments: readonly { readonly name: string }[];
    };
    assert.deepEqual(
      listed.deployments.map(({ name }) => name),
      ["FromInput", "FromFile", "FromVariable"],
    );
  });

  test("takes a snapshot and waits for its end, and lists it beside those of instances by its consistency", async () => {
    const taken = await run(["snapshot", "FromInput", "--retention-days", "3", "--wait", "--json"]);
    assert.equal(taken.code, 0, taken.complaints);
    const snapshot = JSON.parse(taken.output) as { readonly id: string; readonly status: string };
    snapshotId = snapshot.id;
    assert.equal(snapshot.status, "completed");
    assert.match((await run(["snapshots", "FromInput"])).output, new RegExp(`${snapshotId} +completed .* exact `));
    const { output } = await runTelamon(["snapshots", "--data-dir", data.path]);
    assert.match(output, new RegExp(`${snapshotId} +My Project +FromInput .* exact `));
  });

  test("restores it into an instance", async () => {
    const { code, output, complaints } = await run(["restore", "FromInput", snapshotId, "--to", "Instance0", "--wait"]);
    assert.equal(code, 0, complaints);
    assert.match(output, /^restore [0-9a-f]{24} to Instance0 is completed/);
  });

  test("restores a snapshot of an instance into an external deployment, which is told to be replaced", async () => {
    const { project, instance, instanceSnapshotId } = await instanceSnapshot();
    const words = ["restore", instance, instanceSnapshotId, "--to-external", "FromFile", "--wait"];
    const refused = await run(words);
    assert.equal(refused.code, 1);
    assert.match(refused.output, /is failed: The target is not empty/);
    const { code, output, complaints } = await run([...words, "--replace-existing", "--to-project", project]);
    assert.equal(code, 0, complaints);
    assert.match(output, /^restore [0-9a-f]{24} to FromFile is completed/);
    const unknown = await run([...words, "--to-project", "0123456789abcdef01234567"]);
    assert.equal(unknown.code, 1);
    assert.match(unknown.complaints, /CANNOT_RESTORE_TO_TARGET/);
  });

  test("detaches, and attaches again with replace", async () => {
    assert.match((await run(["detach", "FromFile"])).output, /its snapshots stay until they expire/);
    assert.match((await run(["show", "FromFile"])).output, /FromFile +DETACHED/);
    const refused = await run(["probe", "FromFile"]);
    assert.equal(refused.code, 1);
    assert.match(refused.complaints, /EXTERNAL_DEPLOYMENT_DETACHED/);
    assert.equal((await run(["replace", "FromFile", "--policy", "FLEX"], { input: connectionString })).code, 0);
    assert.match((await run(["probe", "FromFile"])).output, /FromFile +IDLE .* exact/);
    assert.match((await run(["detach", "FromFile", "--delete-snapshots"])).output, /are being deleted/);
  });

  test("a wrong command line is told with 2; what the server refuses, and that nobody answers, with 1", async () => {
    for (const words of [
      [],
      ["forget", "X"],
      ["attach"],
      ["list", "X"],
      ["restore", "FromInput", snapshotId],
      ["attach", "X", "--connection-string-env", "NOT_SET"],
      ["list", "--wrong", "x"],
    ])
      assert.equal((await run(words)).code, 2, words.join(" "));
    const nothing = await run(["attach", "X"], { input: "" });
    assert.deepEqual([nothing.code, nothing.complaints], [2, "telamon: no connection string came on standard input\n"]);
    const refused = await run(["attach", "X"], { input: "mongodb://user:secret@h/?tlsInsecure=true" });
    assert.equal(refused.code, 1);
    assert.match(refused.complaints, /^telamon: CONNECTION_STRING_INVALID: /);
    assert.doesNotMatch(refused.complaints, /secret/);
    const nobody = await run(["list"], { environment: { TELAMON_API_URL: "http://127.0.0.1:1" } });
    assert.equal(nobody.code, 1);
    assert.match(nobody.complaints, /no server answers at http:\/\/127\.0\.0\.1:1/);
  });

  test("on the command line itself no connection string is taken", async () => {
    const { code, complaints } = await run(["attach", "X", connectionString]);
    assert.equal(code, 2);
    assert.ok(!complaints.includes(elsewhere.credentials.demo?.password ?? ""));
  });

  test("after a lost metadata database it comes back detached, with its snapshots, and a string attaches it again", async () => {
    await telamon.stop();
    for (const suffix of ["", "-wal", "-shm"]) rmSync(join(data.path, `metadata.sqlite${suffix}`), { force: true });
    rmSync(join(data.path, "credentials.json"));
    const recovered = await runTelamon(["recover", "--data-dir", data.path]);
    assert.equal(recovered.code, 0, recovered.complaints);
    telamon = await startTelamon(data.path, "--engine-port-range", "29240-29279");
    assert.match((await run(["show", "FromInput"])).output, /FromInput +DETACHED/);
    assert.match((await run(["snapshots", "FromInput"])).output, new RegExp(`${snapshotId} +completed .* exact `));
    assert.equal((await run(["restore", "FromInput", snapshotId, "--to", "Instance0", "--wait"])).code, 0);
    assert.equal((await run(["replace", "FromInput"], { input: connectionString })).code, 0);
    assert.equal((await run(["snapshot", "FromInput", "--wait"])).code, 0);
  });
});
