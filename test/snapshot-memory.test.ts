import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { MongoClient } from "mongodb";
import { npmStart } from "./support/npm-start.ts";
import { apiCaller, startTelamonWith, takeSnapshot, temporaryDataDirectory } from "./support/telamon-process.ts";
import { describeUnless } from "./support/describe-unless.ts";

const mebibyte = 1_048_576;
const documentBytes = 1024;
const dataBytes = 96 * mebibyte;
const insertedAtOnce = 4000;
/** Of the whole process: databases, store, API. ARCHITECTURE.md says it. */
const boundBytes = 512 * mebibyte;
const skip = process.platform === "linux" ? false : "resident memory is read as Linux tells it";

/** The most memory a process ever had resident. */
function peakBytesOf(pid: number | undefined): number {
  return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) * 1024;
}

describeUnless(skip, "the memory of the whole server", () => {
  test("stays below what the architecture says while much is written, and snapshots of it are taken", async () => {
    const data = temporaryDataDirectory();
    const telamon = await startTelamonWith(npmStart, data.path, "--demo", "--engine-port-range", "29460-29479");
    const { demo, groupId } = telamon.credentials;
    const client = new MongoClient(demo?.connectionString ?? "");
    try {
      const orders = client.db("shop").collection("orders");
      for (let first = 0; first < dataBytes / documentBytes; first += insertedAtOnce)
        await orders.insertMany(
          Array.from({ length: insertedAtOnce }, (_, index) => ({
            _id: (first + index) as never,
            text: "text ".repeat(125),
            noise: randomBytes(350),
          })),
        );
      const caller = await apiCaller(telamon.credentials);
      const instance = `/api/atlas/v2/groups/${groupId}/serverless/${demo?.instance}`;
      assert.equal((await takeSnapshot(caller, instance, 120_000)).status, "completed");
      await orders.updateMany({ _id: { $mod: [100, 0] } as never }, { $set: { changed: true } });
      assert.equal((await takeSnapshot(caller, instance, 120_000)).status, "completed");
      const peakBytes = peakBytesOf(telamon.child.pid);
      assert.ok(peakBytes < boundBytes, `${Math.round(peakBytes / mebibyte)} MiB`);
    } finally {
      await client.close();
      await telamon.stop();
      data.remove();
    }
  });
});
