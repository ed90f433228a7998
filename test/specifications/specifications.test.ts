import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { MongoClient } from "mongodb";
import { startWireWorld, type WireWorld } from "../support/wire-world.ts";
import { expectedFailures } from "./expected-failures.ts";
import { describeServer, type ServerUnderTest, unmet } from "./requirements.ts";
import { runTest } from "./run-test.ts";
import { readArea, specificationsFolder, type Test, type TestFile } from "./test-file.ts";

const areas = [
  "change-streams",
  "collection-management",
  "crud",
  "gridfs",
  "index-management",
  "read-write-concern",
  "retryable-reads",
  "retryable-writes",
  "run-command",
  "sessions",
  "transactions",
  "transactions-convenient-api",
  "versioned-api",
];

interface Tally {
  passed: number;
  failed: number;
  skipped: number;
  readonly wrong: string[];
  readonly reasons: Map<string, number>;
}

describe("the drivers' own tests, through the official driver", () => {
  let world: WireWorld;
  let internal: MongoClient;
  let server: ServerUnderTest;

  before(async () => {
    world = await startWireWorld({ testCommands: true });
    internal = await world.as("admin").connect();
    server = await describeServer(internal);
  });
  after(() => world.stop());

  for (const area of areas) {
    const files = readArea(area);
    const skip =
      files === undefined ? `no ${area} in ${specificationsFolder}; test/specifications/fetch.sh brings it` : false;
    test(`${area}: every test that applies passes, or stands in the list and fails`, { skip }, async (context) => {
      const tally: Tally = { passed: 0, failed: 0, skipped: 0, wrong: [], reasons: new Map() };
      const uri = `mongodb://admin:password@127.0.0.1:${world.listener.port}/?replicaSet=rs&authSource=admin&serverSelectionTimeoutMS=10000`;
      for (const file of files ?? [])
        for (const one of file.tests) await judge(file, one, { tally, internal, server, uri });
      context.diagnostic(
        `${area.padEnd(28)} ${String(tally.passed).padStart(5)} passed ${String(tally.failed).padStart(5)} failed ${String(tally.skipped).padStart(5)} skipped`,
      );
      for (const [reason, count] of [...tally.reasons].toSorted()) context.diagnostic(`  ${count} × ${reason}`);
      assert.deepEqual(tally.wrong, []);
    });
  }
});

interface Judging {
  readonly tally: Tally;
  readonly internal: MongoClient;
  readonly server: ServerUnderTest;
  readonly uri: string;
}

async function judge(file: TestFile, one: Test, { tally, internal, server, uri }: Judging): Promise<void> {
  const name = `${file.name}: ${one.description}`;
  const count = (reason: string): void => void tally.reasons.set(reason, (tally.reasons.get(reason) ?? 0) + 1);
  const expected = expectedFailures.find(({ tests }) => {
    const listed = tests[file.name] ?? tests[file.name.split("/")[0] ?? ""];
    return listed === "all" || listed?.includes(one.description) === true;
  });
  const against =
    unmet(file.runOnRequirements, server) ??
    unmet(one.runOnRequirements, server) ??
    one.skipReason ??
    (!server.failPoints && usesFailPoint(one) ? "needs configureFailPoint" : undefined) ??
    (expected?.skip === true ? expected.reason : undefined);
  if (against !== undefined) {
    tally.skipped += 1;
    count(`skipped: ${against}`);
    return;
  }
  try {
    await runTest(file, one, internal, uri);
  } catch (error) {
    tally.failed += 1;
    if (expected === undefined) tally.wrong.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
    else count(`failed: ${expected.reason}`);
    return;
  }
  tally.passed += 1;
  if (expected !== undefined) tally.wrong.push(`${name}: it passes; take it off the list`);
}

function usesFailPoint(one: Test): boolean {
  return /"name":"(failPoint|targetedFailPoint)"/.test(JSON.stringify(one.operations));
}
