import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { serialize } from "bson";
import { createSystemClock } from "../../src/adapters/clock-system.ts";
import { createRandomIds } from "../../src/adapters/ids-random.ts";
import { createSqliteMetadata } from "../../src/adapters/metadata-sql/sqlite-metadata.ts";
import { startTelamon } from "../telamon-process.ts";

/** Below the range from which the system gives ports away. */
const firstPort = 21_000;

/** What so many sleeping databases cost one process, and how long the first client of one waits for its first answer. */
export async function measureInstances(count: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "telamon-instances-"));
  try {
    const first = await startTelamon(folder);
    const before = first.residentBytes();
    await first.stop();
    await fill(folder, first.credentials.groupId, count);
    const telamon = await startTelamon(folder, "--engine-port-range", `${firstPort}-${firstPort + count - 1}`);
    try {
      const asleep = telamon.residentBytes();
      const cold = await answerMs(firstPort);
      const next = await answerMs(firstPort + count - 1);
      const awake = await answerMs(firstPort);
      console.log(
        `\n${count} instances: ${Math.round(asleep / 1048576)} MiB resident at the start (${Math.round(before / 1048576)} MiB with none), ready after ${Math.round(telamon.readyMs)} ms`,
      );
      console.log(
        `first answer to a client: ${cold.toFixed(0)} ms when nothing was awake, ${next.toFixed(1)} ms when another database was, ${awake.toFixed(1)} ms when this one was`,
      );
    } finally {
      await telamon.stop();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function fill(folder: string, projectId: string, count: number): Promise<void> {
  const clock = createSystemClock();
  const ids = createRandomIds(clock);
  const metadata = await createSqliteMetadata({ path: join(folder, "metadata.sqlite") });
  await metadata.transaction(async ({ deployments }) => {
    for (let index = 0; index < count; index += 1)
      await deployments.insert({
        id: ids.objectId(),
        projectId,
        kind: "serverless",
        name: `Instance${index}`,
        state: "IDLE",
        createdAtMs: clock.nowMs(),
        backingProviderName: "AWS",
        regionName: "US_EAST_1",
        continuousBackupEnabled: true,
        terminationProtectionEnabled: false,
        tags: [],
        port: firstPort + index,
        generation: 1,
        nextSnapshotAtMs: clock.nowMs() + 365 * 86_400_000,
        backupPolicy: undefined,
        owedPolicyItemIds: [],
      });
  });
  await metadata.close();
}

/** From connecting to the reply of a `hello`. */
function answerMs(port: number): Promise<number> {
  const body = serialize({ hello: 1, $db: "admin" });
  const message = Buffer.alloc(21 + body.length);
  message.writeInt32LE(message.length, 0);
  message.writeInt32LE(1, 4);
  message.writeInt32LE(2013, 12);
  message.set(body, 21);
  return new Promise((fulfil, reject) => {
    const startedMs = performance.now();
    const socket = connect(port, "127.0.0.1", () => socket.write(message));
    socket.once("error", reject);
    socket.once("data", () => {
      fulfil(performance.now() - startedMs);
      socket.destroy();
    });
  });
}
