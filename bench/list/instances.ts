import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createSystemClock } from "../../src/adapters/clock-system.ts";
import { createRandomIds } from "../../src/adapters/ids-random.ts";
import { createSqliteMetadata } from "../../src/adapters/metadata-sql/sqlite-metadata.ts";
import { firstAnswerMs } from "../engine/first-answer.ts";
import { startTelamon } from "../telamon-process.ts";

/** Below the range from which the system gives ports away. */
const firstPort = 21_000;
/** Until a start is over: what it left behind is given back, and a spare thread for databases is there. */
const settleMs = 5000;

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
      await sleep(settleMs);
      const settled = telamon.residentBytes();
      const cold = await firstAnswerMs(firstPort);
      const next = await firstAnswerMs(firstPort + count - 1);
      const awake = await firstAnswerMs(firstPort);
      console.log(
        `\n${count} instances: ${Math.round(asleep / 1048576)} MiB resident at the start, ${Math.round(settled / 1048576)} MiB when it has settled (${Math.round(before / 1048576)} MiB at the start with none), ready after ${Math.round(telamon.readyMs)} ms`,
      );
      console.log(
        `first answer to a client: ${cold.toFixed(1)} ms when nothing was awake, ${next.toFixed(1)} ms when another database was, ${awake.toFixed(1)} ms when this one was`,
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
