import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { createRandomIds } from "../../adapters/ids-random.ts";
import { createAesSealer } from "../../adapters/sealer-aes/sealer-aes.ts";
import { createMongoProbe } from "../../adapters/source-mongodb/probe.ts";
import { createMongoSource } from "../../adapters/source-mongodb/source-mongodb.ts";
import { createSystemClock } from "../../adapters/clock-system.ts";
import { type HostedDatabases, openHostedDatabases } from "../../../test/support/hosted-databases.ts";
import { createJobsWorld } from "../../../test/support/jobs-world.ts";
import { errorOf, everything } from "../../../test/support/domain-world.ts";
import { createFakeClock } from "../../../test/support/fake-clock.ts";
import { createScheduler } from "../../jobs/scheduler.ts";
import { drill } from "../../jobs/tasks/drill.ts";
import { takeSnapshot } from "../../jobs/tasks/takeSnapshot.ts";
import { SourceUnusable } from "../../ports/source-probe.ts";
import { allowedHosts } from "../../shared/allowed-hosts.ts";
import { createSnapshotExpiry } from "../backups/expiry.ts";
import { createSnapshotTransitions } from "../backups/snapshot-transitions.ts";
import { createDeploymentSources } from "./deployment-sources.ts";
import {
  createExternalDeploymentService,
  maximumExternalDeploymentsPerProject,
} from "./external-deployment-service.ts";

const hourMs = 3_600_000;
const never = new AbortController().signal;

describe("external deployments", () => {
  let databases: HostedDatabases;
  let connectionString: string;
  before(async () => {
    databases = await openHostedDatabases();
    const deployment = databases.deployment();
    await databases.host.start(deployment);
    connectionString = await databases.host.systemConnectionString(deployment.id);
    const client = await databases.connect(deployment.id);
    await client.db("shop").collection("orders").insertOne({ a: 1 });
  });
  after(() => databases.close());

  test("are backed up and drilled by schedule as instances are, and nothing is taken of them while they are detached", async () => {
    const world = await createJobsWorld();
    const sealer = createAesSealer(new Uint8Array(32), world.ids);
    const hosts = allowedHosts("any");
    const service = createExternalDeploymentService({
      ...world,
      sealer,
      probe: createMongoProbe(hosts, 5000),
      allowedHosts: hosts,
    });
    const sources = createDeploymentSources({
      metadata: world.metadata,
      host: world.host,
      sealer,
      hosted: world.source,
      external: () => createMongoSource(createSystemClock(), { allowedHosts: hosts }),
    });
    const transitions = createSnapshotTransitions(world);
    const restoreOnTrial = drill({ ...world });
    const scheduler = createScheduler({ ...world, transitions, expiry: createSnapshotExpiry(world) });
    const { deployment } = await service.attach(world.projectId, { name: "Elsewhere", connectionString });
    const snapshots = async () => (await world.metadata.snapshots.page(deployment.id, everything)).items;
    await scheduler.tick();
    assert.equal((await snapshots()).length, 0);
    world.clock.advance(6 * hourMs);
    await scheduler.tick();
    const [queued] = await snapshots();
    assert.deepEqual([queued?.status, queued?.snapshotType], ["queued", "scheduled"]);
    await takeSnapshot({ ...world, sources, transitions }).run(await world.lease("takeSnapshot"), never);
    const [taken] = await snapshots();
    assert.deepEqual([taken?.status, taken?.consistency], ["completed", "exact"]);
    await service.detach(world.projectId, "Elsewhere", false);
    world.clock.advance(12 * hourMs);
    await scheduler.tick();
    assert.equal((await snapshots()).length, 1);
    // A job that was queued before is not carried out either.
    await service.update(world.projectId, "Elsewhere", { connectionString });
    world.clock.advance(6 * hourMs);
    await scheduler.tick();
    await service.detach(world.projectId, "Elsewhere", false);
    // The trial of the first snapshot was due as well, and is not kept from by the detaching.
    await restoreOnTrial.run(await world.lease("drill"), never);
    assert.notEqual((await snapshots()).at(-1)?.provenAtMs, undefined);
    await takeSnapshot({ ...world, sources, transitions }).run(await world.lease("takeSnapshot"), never);
    const [failed] = await snapshots();
    assert.deepEqual([failed?.status, failed?.failureReason], ["failed", "The deployment is detached."]);
  });

  test("share their names with instances, and a project has a hundred of them at most", async () => {
    const world = await createJobsWorld();
    await world.instance("Instance0");
    const abilities = await createMongoProbe(allowedHosts("any"), 5000).probe(connectionString, never);
    const service = createExternalDeploymentService({
      ...world,
      sealer: createAesSealer(new Uint8Array(32), world.ids),
      // Found once; trying a hundred times more shows nothing.
      probe: { probe: async () => abilities },
      allowedHosts: allowedHosts("any"),
    });
    const attach = (name: string) => service.attach(world.projectId, { name, connectionString });
    await assert.rejects(attach("Instance0"), errorOf("invalid", "DUPLICATE_CLUSTER_NAME"));
    await assert.rejects(attach("not_a_name"), errorOf("invalid", "CLUSTER_NAME_INVALID"));
    for (let count = 0; count < maximumExternalDeploymentsPerProject; count += 1) await attach(`Elsewhere${count}`);
    await assert.rejects(attach("OneMore"), errorOf("invalid", "EXTERNAL_DEPLOYMENT_LIMIT"));
    const request = { name: "Elsewhere1", backingProviderName: "AWS", regionName: "US_EAST_1" };
    await assert.rejects(
      world.services.serverlessInstances.create(world.projectId, request),
      errorOf("invalid", "DUPLICATE_CLUSTER_NAME"),
    );
    const page = await service.list(world.projectId, { pageNumber: 2, itemsPerPage: 60, includeCount: true });
    assert.deepEqual([page.items.length, page.totalCount, page.hasNext], [40, 100, false]);
    await service.detach(world.projectId, "Elsewhere7", true);
    assert.equal((await service.get(world.projectId, "Elsewhere7")).deployment.state, "DELETING");
    await assert.rejects(
      service.detach(world.projectId, "Elsewhere7", false),
      errorOf("invalid", "CLUSTER_ALREADY_REQUESTED_DELETION"),
    );
  });

  test("eight are tried at once, and who comes then is asked to come again; what one cannot be used for is kept", async () => {
    const world = await createJobsWorld();
    const waiting: ((error: Error) => void)[] = [];
    const service = createExternalDeploymentService({
      ...world,
      sealer: createAesSealer(new Uint8Array(32), world.ids),
      probe: { probe: () => new Promise((_fulfil, reject) => waiting.push(reject)) },
      allowedHosts: allowedHosts("any"),
    });
    const attach = (name: string) => service.attach(world.projectId, { name, connectionString });
    const tried = Array.from({ length: 8 }, (_, count) => attach(`Elsewhere${count}`).catch((error: unknown) => error));
    while (waiting.length < 8) await new Promise((fulfil) => setImmediate(fulfil));
    await assert.rejects(attach("Ninth"), errorOf("unavailable", "TOO_MANY_PROBES"));
    for (const reject of waiting.splice(0)) reject(new SourceUnusable("It is not there."));
    for (const error of await Promise.all(tried))
      errorOf("invalid", "EXTERNAL_DEPLOYMENT_NOT_USABLE", "It is not there.")(error);
    const ninth = attach("Ninth").catch((error: unknown) => error);
    while (waiting.length < 1) await new Promise((fulfil) => setImmediate(fulfil));
    waiting[0]?.(new Error("a fault of our own"));
    assert.match(String(await ninth), /a fault of our own/);
  });

  test("have their strings sealed for themselves alone: another's cannot be put in its place", async () => {
    const clock = createFakeClock();
    const ids = createRandomIds(clock);
    const world = await createJobsWorld();
    const sealer = createAesSealer(ids.randomBytes(32), ids);
    const abilities = await createMongoProbe(allowedHosts("any"), 5000).probe(connectionString, never);
    const service = createExternalDeploymentService({
      ...world,
      sealer,
      probe: { probe: async () => abilities },
      allowedHosts: allowedHosts("any"),
    });
    const one = await service.attach(world.projectId, { name: "One", connectionString });
    const other = await service.attach(world.projectId, { name: "Other", connectionString });
    const sources = createDeploymentSources({
      metadata: world.metadata,
      host: world.host,
      sealer,
      hosted: world.source,
      external: () => world.source,
    });
    const { connectionString: unsealed } = await sources.of(one.deployment);
    assert.equal(new URL(unsealed).password, new URL(connectionString).password);
    await world.metadata.externalSources.update(one.deployment.id, {
      sealedConnectionString: other.source.sealedConnectionString,
    });
    await assert.rejects(sources.of(one.deployment));
  });
});
