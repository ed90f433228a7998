import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import type { Metadata } from "../../src/ports/metadata/metadata.ts";
import { idOf, organizationId, putParents, project, snapshot, deploymentId } from "../support/records.ts";
import { accessPromises } from "./metadata-access.ts";
import { jobPromises } from "./metadata-jobs.ts";
import { projectAndDeploymentPromises } from "./metadata-projects-and-deployments.ts";
import { storeCarePromises } from "./metadata-store-care.ts";
import { snapshotPromises } from "./metadata-snapshots.ts";

export interface OpenedMetadata {
  readonly metadata: Metadata;
  /** Closes it and removes its traces. */
  close(): Promise<void>;
}

/** Everything an adapter of the metadata port promises; `open` answers a new, empty one each time. */
export function describeMetadata(name: string, open: () => Promise<OpenedMetadata>): void {
  describe(`metadata: ${name}`, () => {
    let opened: OpenedMetadata;
    const metadata = (): Metadata => opened.metadata;
    beforeEach(async () => {
      opened = await open();
      await putParents(opened.metadata);
    });
    afterEach(() => opened.close());

    describe("transactions", () => transactionPromises(metadata));
    describe("projects and deployments", () => projectAndDeploymentPromises(metadata));
    describe("access", () => accessPromises(metadata));
    describe("snapshots and restore jobs", () => snapshotPromises(metadata));
    describe("care of the store", () => storeCarePromises(metadata));
    describe("jobs", () => jobPromises(metadata));
  });
}

function transactionPromises(metadata: () => Metadata): void {
  test("nothing of a transaction stays when its work throws, and the error comes through", async () => {
    const failure = new Error("in the middle");
    await assert.rejects(
      metadata().transaction(async (records) => {
        await records.projects.insert(project({ id: idOf(1), name: "Other" }));
        await records.snapshots.insert(snapshot(idOf(2)));
        assert.notEqual(await records.projects.find(idOf(1)), undefined, "its own writes are seen inside");
        throw failure;
      }),
      failure,
    );
    assert.equal(await metadata().projects.find(idOf(1)), undefined);
    assert.equal(await metadata().snapshots.find(deploymentId, idOf(2)), undefined);
    const page = await metadata().snapshots.page(deploymentId, { pageNumber: 1, itemsPerPage: 10, includeCount: true });
    assert.equal(page.totalCount, 0);
  });

  test("the result of the work comes through and its writes are there", async () => {
    const answer = await metadata().transaction(async (records) => {
      await records.projects.insert(project({ id: idOf(1), name: "Other" }));
      return 42;
    });
    assert.equal(answer, 42);
    assert.equal((await metadata().projects.find(idOf(1)))?.name, "Other");
  });

  test("two transactions that read and then write do not interleave", async () => {
    const raise = (): Promise<void> =>
      metadata().transaction(async (records) => {
        const before = await records.deployments.find(deploymentId);
        await new Promise((resolve) => setImmediate(resolve));
        await records.deployments.update(deploymentId, { generation: (before?.generation ?? 0) + 1 });
      });
    await Promise.all(Array.from({ length: 10 }, raise));
    assert.equal((await metadata().deployments.find(deploymentId))?.generation, 11);
  });

  test("a write beside an open transaction waits for it and is not undone by its end", async () => {
    const held = Promise.withResolvers<void>();
    const failing = metadata().transaction(async (records) => {
      await records.projects.insert(project({ id: idOf(1), name: "Undone" }));
      await held.promise;
      throw new Error("undone");
    });
    const beside = metadata().projects.insert(project({ id: idOf(2), name: "Kept" }));
    held.resolve();
    await assert.rejects(failing, /undone/);
    await beside;
    assert.equal(await metadata().projects.find(idOf(1)), undefined);
    assert.equal((await metadata().projects.find(idOf(2)))?.name, "Kept");
  });

  test("work that asks the metadata itself to write gets an error, not a hang", async () => {
    await assert.rejects(
      metadata().transaction(() => metadata().projects.insert(project({ id: idOf(1), name: "Outside" }))),
      /only the records handed to it/,
    );
    assert.equal(await metadata().projects.findByName(organizationId, "Outside"), undefined);
  });
}
