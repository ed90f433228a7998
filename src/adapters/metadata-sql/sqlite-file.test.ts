import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface, type Interface } from "node:readline";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, test } from "node:test";
import { deploymentId, idOf, project, putParents, snapshot } from "../../../test/support/records.ts";
import { createSqliteMetadata } from "./sqlite-metadata.ts";

const adapterUrl = new URL("sqlite-metadata.ts", import.meta.url).href;
const recordsUrl = new URL("../../../test/support/records.ts", import.meta.url).href;

describe("the metadata's file", () => {
  let folder: string;
  let path: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "telamon-file-"));
    path = join(folder, "metadata.sqlite");
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  /** A process that opens the file and runs `body`; answers after its first line. */
  const runBeside = async (body: string): Promise<{ child: ChildProcess; lines: Interface; line: string }> => {
    const script = `
      const { createSqliteMetadata } = await import(${JSON.stringify(adapterUrl)});
      const records = await import(${JSON.stringify(recordsUrl)});
      const metadata = await createSqliteMetadata({ path: ${JSON.stringify(path)} })
        .catch((error) => { console.log("refused: " + error.message); process.exit(3); });
      ${body}`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const lines = createInterface({ input: child.stdout });
    const [line] = (await once(lines, "line")) as [string];
    return { child, lines, line };
  };

  test("another process is refused with a clear message, and let in when this one has closed it", async () => {
    const metadata = await createSqliteMetadata({ path });
    const refused = await runBeside(`console.log("opened")`);
    assert.match(refused.line, /^refused: The metadata database .* is in use by another process\.$/);
    await metadata.close();
    const allowed = await runBeside(`console.log("opened"); await metadata.close();`);
    assert.equal(allowed.line, "opened");
  });

  test("a second opening in the same process is refused too, and the first is not hurt by it", async () => {
    const metadata = await createSqliteMetadata({ path });
    await assert.rejects(createSqliteMetadata({ path }), /in use by another process/);
    await putParents(metadata);
    await metadata.close();
    const again = await createSqliteMetadata({ path });
    assert.equal((await again.deployments.find(deploymentId))?.name, "Instance0");
    await again.close();
  });

  test("a killed process leaves what it was told is written, nothing of its open transaction, and no hold", async () => {
    const { child, line } = await runBeside(`
      await records.putParents(metadata);
      await metadata.snapshots.insert(records.snapshot(records.idOf(1)));
      await metadata.transaction(async (inside) => {
        await inside.snapshots.insert(records.snapshot(records.idOf(2)));
        await inside.deployments.update(records.deploymentId, { generation: 2 });
        console.log("in the middle");
        setInterval(() => {}, 1000);
        await new Promise(() => {});
      });`);
    assert.equal(line, "in the middle");
    child.kill("SIGKILL");
    await once(child, "exit");
    const metadata = await createSqliteMetadata({ path });
    const page = await metadata.snapshots.page(deploymentId, { pageNumber: 1, itemsPerPage: 10, includeCount: true });
    assert.deepEqual([page.items.map((item) => item.id), page.totalCount], [[idOf(1)], 1]);
    assert.equal((await metadata.deployments.find(deploymentId))?.generation, 1);
    await metadata.close();
  });

  test("killed at any moment of its writing, what was acknowledged is there and the counts are those of the rows", async () => {
    for (const acknowledged of [1, 2, 5, 11, 23]) {
      const { child, lines } = await runBeside(`
        if (!(await metadata.organizations.any())) await records.putParents(metadata);
        const from = ${acknowledged} * 1000;
        for (let number = 1; ; number += 1) {
          await metadata.snapshots.insert(records.snapshot(records.idOf(from + number)));
          if (number % 3 === 0) await metadata.snapshots.delete(records.idOf(from + number - 1));
          console.log("done " + number);
        }`);
      let last = 1;
      const enough = new Promise<void>((resolve) => {
        lines.on("line", (line) => {
          last = Number(line.split(" ")[1]);
          if (last >= acknowledged) resolve();
        });
      });
      if (acknowledged > 1) await enough;
      child.kill("SIGKILL");
      await once(child, "close");
      const metadata = await createSqliteMetadata({ path });
      for (let number = 1; number <= last; number += 1) {
        const found = await metadata.snapshots.find(deploymentId, idOf(acknowledged * 1000 + number));
        // The one before every third is deleted again; the very last deletion may or may not have been reached.
        const deleted = number % 3 === 2 && number < last;
        assert.ok(
          deleted ? found === undefined : found !== undefined || number === last,
          `number ${number} of ${last}`,
        );
      }
      const { items, totalCount } = await metadata.snapshots.page(deploymentId, {
        pageNumber: 1,
        itemsPerPage: 500,
        includeCount: true,
      });
      assert.equal(items.length, totalCount);
      await metadata.close();
    }
  });

  test("nobody else may read the file, its log or its lock", async () => {
    const metadata = await createSqliteMetadata({ path });
    await putParents(metadata);
    for (const suffix of ["", "-wal", "-shm", ".lock"]) {
      assert.equal(statSync(path + suffix).mode & 0o777, 0o600, `mode of the file ending in "${suffix}"`);
    }
    await metadata.close();
  });

  test("writes go to a log beside the file, and foreign keys hold", async () => {
    const metadata = await createSqliteMetadata({ path });
    await assert.rejects(metadata.projects.insert(project()), /FOREIGN KEY/);
    await metadata.close();
    const database = new DatabaseSync(path);
    assert.deepEqual({ ...database.prepare("PRAGMA journal_mode").get() }, { journal_mode: "wal" });
    database.close();
  });

  test("reads do not wait for an open transaction and see nothing of it", async () => {
    const metadata = await createSqliteMetadata({ path });
    await putParents(metadata);
    await metadata.transaction(async (records) => {
      await records.snapshots.insert(snapshot(idOf(1)));
      assert.equal(await metadata.snapshots.find(deploymentId, idOf(1)), undefined);
    });
    assert.notEqual(await metadata.snapshots.find(deploymentId, idOf(1)), undefined);
    await metadata.close();
  });

  test("closing waits for what is under way", async () => {
    const metadata = await createSqliteMetadata({ path });
    await putParents(metadata);
    const inserted = metadata.transaction(async (records) => {
      await new Promise((resolve) => setImmediate(resolve));
      await records.snapshots.insert(snapshot(idOf(1)));
    });
    await metadata.close();
    await inserted;
    const again = await createSqliteMetadata({ path });
    assert.notEqual(await again.snapshots.find(deploymentId, idOf(1)), undefined);
    await again.close();
  });
});
