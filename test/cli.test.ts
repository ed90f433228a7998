import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { type Ran, runTelamon } from "./support/run-telamon.ts";
import {
  apiCaller,
  eventually,
  startTelamon,
  temporaryDataDirectory,
  type TelamonProcess,
} from "./support/telamon-process.ts";

const run = (...commandLine: readonly string[]): Promise<Ran> => runTelamon(commandLine);

function parsed<Body>(ran: Ran): Body {
  return JSON.parse(ran.output) as Body;
}

describe("the command line", () => {
  const directory = temporaryDataDirectory();
  const data = ["--data-dir", directory.path];
  const flags = ["--demo", "--engine-port-range", "29500-29540"];
  let telamon: TelamonProcess | undefined;
  let snapshotId: string;
  let credentialsBefore: string;
  const credentials = (): string => readFileSync(join(directory.path, "credentials.json"), "utf8");

  before(async () => {
    telamon = await startTelamon(directory.path, ...flags);
    credentialsBefore = credentials();
  });
  after(async () => {
    await telamon?.stop();
    directory.remove();
  });

  test("snapshots and verify work beside a running server, and tell the same as the API", async () => {
    const { snapshots } = parsed<{ snapshots: { id: string; deployment: { name: string } }[] }>(
      await run("snapshots", "--json", ...data),
    );
    assert.equal(snapshots.length, 1);
    snapshotId = snapshots[0]?.id ?? "";
    assert.equal(snapshots[0]?.deployment.name, "Instance0");
    const caller = await apiCaller((telamon as TelamonProcess).credentials);
    const path = `/api/atlas/v2/groups/${telamon?.credentials.groupId}/serverless/Instance0/backup/snapshots/${snapshotId}`;
    assert.equal((await caller.request("GET", path)).status, 200);
    const verified = await run("verify", "--json", ...data);
    assert.equal(verified.code, 0);
    assert.deepEqual(parsed<{ damages: object[] }>(verified).damages, []);
    const people = await run("snapshots", ...data);
    assert.match(people.output, new RegExp(`^ID +PROJECT.*\n${snapshotId} +My Project +Instance0`));
  });

  test("what needs the data folder for itself says that it is in use, with 4", async () => {
    for (const command of [["recover"], ["keys", "rotate"]]) {
      const { code, complaints } = await run(...command, ...data);
      assert.equal(code, 4, command.join(" "));
      assert.match(complaints, /in use by another process.*stop the server/);
    }
  });

  test("drill lets the running server prove snapshots, and snapshots shows the proof as the store was told", async () => {
    const drilled = await run("drill", "--json", ...data);
    assert.deepEqual(
      parsed<{ drills: object[] }>(drilled).drills,
      [{ id: snapshotId, proven: true }],
      drilled.complaints,
    );
    await eventually("the proof in the store", async () => {
      const { snapshots } = parsed<{ snapshots: { lastProvenAt: string | null; drillFailureReason: string | null }[] }>(
        await run("snapshots", "--json", ...data),
      );
      assert.equal(snapshots[0]?.drillFailureReason, null);
      return snapshots[0]?.lastProvenAt ?? undefined;
    });
    const unknown = await run("drill", "0".repeat(24), ...data);
    assert.equal(unknown.code, 1);
  });

  test("snapshots hold and release work beside the running server, and a held one cannot be deleted", async () => {
    const held = await run("snapshots", "hold", snapshotId, "--reason", "the audit", "--json", ...data);
    assert.equal(held.code, 0, held.complaints);
    assert.equal(parsed<{ hold: { reason: string } }>(held).hold.reason, "the audit");
    const caller = await apiCaller((telamon as TelamonProcess).credentials);
    const path = `/api/atlas/v2/groups/${telamon?.credentials.groupId}/serverless/Instance0/backup/snapshots/${snapshotId}`;
    assert.equal((await caller.request("DELETE", path)).status, 409);
    await eventually("the hold in the store", async () => {
      const { output } = await run("snapshots", ...data);
      return output.includes("the audit") ? output : undefined;
    });
    const again = await run("snapshots", "hold", snapshotId, "--reason", "again", ...data);
    assert.equal(again.code, 1);
    assert.match(again.complaints, /SNAPSHOT_ALREADY_HELD/);
    assert.equal((await run("snapshots", "release", snapshotId, ...data)).code, 0);
    assert.equal((await run("snapshots", "release", snapshotId, ...data)).code, 1);
  });

  test("gc lets the running server collect", async () => {
    const swept = await run("gc", "--dry-run", "--grace-hours", "0", "--json", ...data);
    assert.equal(swept.code, 0, swept.complaints);
    const { dryRun, lockedObjectCount } = parsed<{ dryRun: boolean; lockedObjectCount: number }>(swept);
    assert.deepEqual([dryRun, lockedObjectCount], [true, 0]);
    assert.match((await run("gc", ...data)).output, /^deleted \d+ objects/);
    const caller = await apiCaller((telamon as TelamonProcess).credentials);
    const path = `/api/atlas/v2/groups/${telamon?.credentials.groupId}/serverless/Instance0/backup/snapshots/${snapshotId}`;
    assert.equal((await caller.request("GET", path)).status, 200, "what is needed stays");
  });

  test("a wrong command line is told with 2, a snapshot that is not there with 1", async () => {
    for (const wrong of [
      ["snapshot"],
      ["snapshots", "hold"],
      ["snapshots", "hold", snapshotId],
      ["snapshots", "keep", "x"],
      ["snapshots", "--wrong", "x"],
      ["export"],
      ["keys"],
      ["gc", "--repack", "many"],
    ])
      assert.equal((await run(...wrong, ...data)).code, 2, wrong.join(" "));
    assert.equal((await run("export", "0".repeat(24), "--output", join(directory.path, "x"), ...data)).code, 1);
  });

  test("export writes the documents byte for byte, with options and indexes beside them", async () => {
    const folder = join(directory.path, "dump");
    const exported = await run("export", snapshotId, "--output", folder, "--json", ...data);
    assert.equal(exported.code, 0, exported.complaints);
    const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".bson"));
    assert.ok(files.length > 0);
    for (const file of files) {
      const metadata = JSON.parse(readFileSync(join(folder, file.replace(/bson$/, "metadata.json")), "utf8")) as {
        indexes: { name: string }[];
      };
      assert.equal(metadata.indexes[0]?.name, "_id_");
      const bytes = readFileSync(join(folder, file));
      let position = 0;
      while (position < bytes.length) position += bytes.readInt32LE(position);
      assert.equal(position, bytes.length);
    }
  });

  test("drill proves every snapshot, and gc finds nothing in a fresh store", async () => {
    assert.equal(await telamon?.stop(), 0);
    telamon = undefined;
    const drilled = await run("drill", "--json", ...data);
    assert.deepEqual(parsed<{ drills: object[] }>(drilled).drills, [{ id: snapshotId, proven: true }]);
    const engine = readdirSync(join(directory.path, "engine"));
    assert.equal(engine.length, 1, "nothing of the trial is left");
    const swept = await run("gc", "--dry-run", "--json", ...data);
    assert.equal(parsed<{ deletedObjectCount: number }>(swept).deletedObjectCount, 0);
  });

  test("with the server stopped a snapshot is held by the command line itself", async () => {
    const held = await run("snapshots", "hold", snapshotId, "--reason", "until 2030", ...data);
    assert.equal(held.code, 0, held.complaints);
    const { snapshots } = parsed<{ snapshots: { hold: { heldBy: string; reason: string } | null }[] }>(
      await run("snapshots", "--json", ...data),
    );
    assert.deepEqual([snapshots[0]?.hold?.heldBy, snapshots[0]?.hold?.reason], ["command line", "until 2030"]);
  });

  test("keys: a passphrase opens as well; a rotated key opens and the old one does not; no pack is touched", async () => {
    const packs = (): string[] =>
      readdirSync(join(directory.path, "store/packs"), { recursive: true, encoding: "utf8" })
        .filter((name) => name.includes("/"))
        .map(
          (name) =>
            `${name} ${createHash("sha256")
              .update(readFileSync(join(directory.path, "store/packs", name)))
              .digest("hex")}`,
        );
    const before = packs();
    const passphraseFile = join(directory.path, "passphrase");
    writeFileSync(passphraseFile, "correct horse battery staple\n", { mode: 0o600 });
    assert.equal((await run("keys", "add", "--new", `passphrase-file:${passphraseFile}`, ...data)).code, 0);
    assert.equal((await run("verify", "--unlock", `passphrase-file:${passphraseFile}`, ...data)).code, 0);
    const oldKey = readFileSync(join(directory.path, "master.key"));
    assert.equal((await run("keys", "rotate", ...data)).code, 0);
    const newKey = readFileSync(join(directory.path, "master.key"));
    assert.notDeepEqual(newKey, oldKey);
    assert.equal((await run("verify", ...data)).code, 0);
    const oldPath = join(directory.path, "old.key");
    writeFileSync(oldPath, oldKey, { mode: 0o600 });
    const refused = await run("verify", "--unlock", `file:${oldPath}`, ...data);
    assert.equal(refused.code, 1);
    assert.match(refused.complaints, /none that opens this backup store/);
    assert.ok(!refused.complaints.includes(oldKey.toString("hex")));
    assert.deepEqual(packs(), before);
    const { keySlots } = parsed<{ keySlots: { kind: string }[] }>(await run("keys", "list", "--json", ...data));
    assert.deepEqual(keySlots.map(({ kind }) => kind).toSorted(), ["key", "passphrase"]);
  });

  test("without the metadata database, recover brings every completed snapshot back, and it restores over the API", async () => {
    for (const suffix of ["", "-wal", "-shm"])
      rmSync(join(directory.path, `metadata.sqlite${suffix}`), { force: true });
    rmSync(join(directory.path, "credentials.json"));
    const recovered = parsed<{ snapshotIds: string[]; deploymentIds: string[] }>(
      await run("recover", "--json", ...data),
    );
    assert.deepEqual([recovered.snapshotIds, recovered.deploymentIds.length], [[snapshotId], 1]);
    assert.deepEqual(
      parsed<{ snapshotIds: string[] }>(await run("recover", "--json", ...data)).snapshotIds,
      [],
      "again changes nothing",
    );
    assert.notEqual(credentials(), credentialsBefore);
    telamon = await startTelamon(directory.path, "--engine-port-range", "29500-29540");
    assert.equal(telamon.credentials.groupId, (JSON.parse(credentialsBefore) as { groupId: string }).groupId);
    const caller = await apiCaller(telamon.credentials);
    const instance = `/api/atlas/v2/groups/${telamon.credentials.groupId}/serverless/Instance0`;
    assert.equal(
      (await caller.request("DELETE", `${instance}/backup/snapshots/${snapshotId}`)).status,
      409,
      "still held",
    );
    const { body } = await caller.request("POST", `${instance}/backup/restoreJobs`, {
      deliveryType: "automated",
      snapshotId,
      targetClusterName: "Instance0",
      targetGroupId: telamon.credentials.groupId,
    });
    const jobPath = `${instance}/backup/restoreJobs/${(body as { id: string }).id}`;
    const done = await eventually("the restore", async () => {
      const answer = (await caller.request("GET", jobPath)).body as { finishedAt?: string; failed?: boolean };
      return answer.finishedAt === undefined ? undefined : answer;
    });
    assert.equal(done.failed, false);
  });

  test("a flipped byte is found with 3, and the report names what is hurt", async () => {
    await telamon?.stop();
    telamon = undefined;
    const name = readdirSync(join(directory.path, "store/packs"), { recursive: true, encoding: "utf8" }).find((one) =>
      one.includes(`${snapshotId}/`),
    );
    const path = join(directory.path, "store/packs", name ?? "");
    const bytes = readFileSync(path);
    bytes[100] = (bytes[100] as number) ^ 1;
    writeFileSync(path, bytes);
    const verified = await run("verify", ...data);
    assert.equal(verified.code, 3);
    assert.match(verified.output, new RegExp(`snapshot ${snapshotId}: \\d+ documents of \\w+\\.\\w+, _id from`));
    assert.equal((await run("drill", ...data)).code, 3);
  });

  test("an empty store beside used metadata is refused at the start: a disk that is not mounted", async () => {
    const elsewhere = join(directory.path, "elsewhere");
    mkdirSync(elsewhere);
    const { code, complaints } = await run("serve", "--port", "0", "--blobs", `file:${elsewhere}`, ...data);
    assert.equal(code, 1);
    assert.match(complaints, /is its disk mounted/);
    assert.ok(!existsSync(join(elsewhere, "format")));
  });
});
