import { createHash } from "node:crypto";
import { join } from "node:path";
import { createSystemClock } from "../adapters/clock-system.ts";
import { createEmbeddedDeploymentHost } from "../adapters/deployment-host-embedded/embedded-deployment-host.ts";
import { createRandomIds } from "../adapters/ids-random.ts";
import { createSqliteMetadata } from "../adapters/metadata-sql/sqlite-metadata.ts";
import type { MongoSourceOptions } from "../adapters/source-mongodb/source-mongodb.ts";
import { createAesSealer } from "../adapters/sealer-aes/sealer-aes.ts";
import { openBackupStore } from "../backup-store/index.ts";
import { createAccess } from "../domain/access/authorization.ts";
import { createDigestAuthentication } from "../domain/access/digest-authentication.ts";
import { createTokenAuthentication } from "../domain/access/token-authentication.ts";
import { careSummary } from "../domain/backups/care-summary.ts";
import { createIncrementTally } from "../domain/backups/increment-tally.ts";
import { createSnapshotExpiry } from "../domain/backups/expiry.ts";
import { createRestoreTransitions } from "../domain/backups/restore-transitions.ts";
import { createSnapshotTransitions } from "../domain/backups/snapshot-transitions.ts";
import { createDatabaseUserDirectory } from "../domain/database-users/database-user-directory.ts";
import { createDeploymentSources } from "../domain/deployments/deployment-sources.ts";
import { createDeploymentTransitions } from "../domain/deployments/deployment-transitions.ts";
import { createServices, type Services } from "../domain/services.ts";
import { createHttpServer, type HttpServer } from "../http/server.ts";
import { recover } from "../jobs/recover.ts";
import { createScheduler } from "../jobs/scheduler.ts";
import { catalogueSnapshots } from "../jobs/tasks/catalogueSnapshots.ts";
import { collectGarbage } from "../jobs/tasks/collectGarbage.ts";
import { collectGarbageOnDemand } from "../jobs/tasks/collectGarbageOnDemand.ts";
import { deprovision } from "../jobs/tasks/deprovision.ts";
import { drill } from "../jobs/tasks/drill.ts";
import { provision } from "../jobs/tasks/provision.ts";
import { renewLocks } from "../jobs/tasks/renewLocks.ts";
import { restore } from "../jobs/tasks/restore.ts";
import { scrub } from "../jobs/tasks/scrub.ts";
import { takeSnapshot } from "../jobs/tasks/takeSnapshot.ts";
import { createWorker } from "../jobs/worker.ts";
import type { OperationServices } from "../operations/define-operation.ts";
import { operations } from "../operations/index.ts";
import type { InstanceHosting } from "../operations/serverless-instances/serverless-instance-description.ts";
import type { BlobStore } from "../ports/blob-store.ts";
import type { Clock } from "../ports/clock.ts";
import type { ExternalRestores } from "../ports/external-restore.ts";
import type { Ids } from "../ports/ids.ts";
import type { Log } from "../ports/log.ts";
import type { Metadata } from "../ports/metadata/metadata.ts";
import type { Sealer } from "../ports/sealer.ts";
import type { SnapshotSource } from "../ports/snapshot-source.ts";
import type { SourceProbe } from "../ports/source-probe.ts";
import { type AllowedHosts, allowedHosts } from "../shared/allowed-hosts.ts";
import { openBlobs, placeOf } from "./blobs.ts";
import type { Configuration } from "./configuration.ts";
import { readEngineTls } from "./engine-tls.ts";
import { readSecret } from "./store-secret.ts";
import { version } from "./version.ts";

/** The MongoDB version whose wire protocol and commands the embedded databases speak. */
const embeddedServerVersion = "8.0.0";
/** Jobs at once: reading and compressing keep two cores busy with two. */
const jobConcurrency = 2;

/** The whole product, put together and not yet started. */
export interface Composition {
  readonly metadata: Metadata;
  readonly services: Services;
  readonly hosting: InstanceHosting;
  readonly http: HttpServer;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly sealer: Sealer;
  /** Serves the databases and begins to work. */
  start(): Promise<void>;
  /** Lets what is in hand end, at most so long, and closes everything. */
  stop(graceMs: number): Promise<void>;
}

/** When a thread is made for the first client of a sleeping database: not while a start is still going on. */
const spareThreadDelayMs = 1000;

/** The one place where adapters, rules and doors meet. */
export async function compose(configuration: Configuration, log: Log): Promise<Composition> {
  const clock = createSystemClock();
  const ids = createRandomIds(clock);
  const randomBytes = (length: number): Uint8Array => ids.randomBytes(length);
  // The metadata first: it is what only one process can hold, and nothing else may be touched by a second one.
  const metadata = await createSqliteMetadata({ path: configuration.metadata.path, clock });
  const blobs = await openBlobs(configuration.blobs, { clock, randomBytes, log });
  await requireStoreOf(metadata, blobs, placeOf(configuration.blobs));
  const { secret, label } = await readSecret(configuration.unlock, randomBytes);
  const repository = await openBackupStore({ blobs, secret, secretLabel: label, randomBytes });
  const sealer = createAesSealer(repository.sealingKey, ids);
  const tls = readEngineTls(configuration.engineTls);
  const host = createEmbeddedDeploymentHost({
    dataFolder: join(configuration.dataDirectory, "engine"),
    host: configuration.host,
    ports: configuration.enginePortRange,
    serverVersion: embeddedServerVersion,
    directory: createDatabaseUserDirectory({ metadata, clock }),
    clock,
    ids,
    log,
    tls,
    testCommands: configuration.testCommands,
    spareThreadDelayMs,
    workerUrl: new URL("./engine-thread.js", import.meta.url),
  });
  const allowed = allowedHosts(configuration.externalHosts);
  const services = createServices({ metadata, clock, ids, sealer, probe: lazyProbe(allowed), allowedHosts: allowed });
  const hosting = instanceHosting(configuration.host, tls !== undefined);
  const deployments = createDeploymentTransitions({ metadata });
  const increments = createIncrementTally();
  const snapshots = createSnapshotTransitions({ metadata, clock, ids });
  const sources = createDeploymentSources({
    metadata,
    host,
    sealer,
    hosted: lazySource(clock, {}),
    // No instance has the id of an external deployment: its data file is free for copies that have yet to be brought to one time.
    external: (id) =>
      lazySource(clock, {
        allowedHosts: allowed,
        scratch: { open: () => host.openStaging(id, 1), remove: () => host.remove(id) },
      }),
  });
  const worker = createWorker({
    jobs: metadata.jobs,
    owner: ids.uuid(),
    clock,
    log,
    concurrency: jobConcurrency,
    tasks: [
      provision({ transitions: deployments, host, jobs: metadata.jobs, log }),
      deprovision({ transitions: deployments, host, metadata, clock, ids }),
      takeSnapshot({
        transitions: snapshots,
        sources,
        repository,
        clock,
        log,
        incrementCheckEvery: configuration.incrementCheckEvery,
        increments,
      }),
      restore({
        transitions: createRestoreTransitions({ metadata, clock }),
        host,
        sources,
        externalRestores: lazyRestores(clock, allowed),
        repository,
        clock,
        log,
      }),
      collectGarbage({ metadata, repository, clock, ids, log }),
      collectGarbageOnDemand({ metadata, repository, clock, ids, log }),
      scrub({ metadata, repository, clock, ids, log }),
      drill({ metadata, repository, host, clock, ids, log }),
      catalogueSnapshots({ metadata, repository, clock, ids, log }),
      renewLocks({ metadata, repository, clock, ids, log }),
    ],
  });
  const scheduler = createScheduler({
    metadata,
    transitions: snapshots,
    expiry: createSnapshotExpiry({ metadata, clock }),
    clock,
    ids,
    log,
  });
  let ready = false;
  const operationServices: OperationServices = {
    ...services,
    access: createAccess(metadata),
    hosting,
    build: createHash("sha1").update(version).digest("hex"),
  };
  const http = await createHttpServer({
    operations,
    services: operationServices,
    digest: createDigestAuthentication({ records: metadata.access, sealer, clock, ids }),
    tokens: createTokenAuthentication({ records: metadata.access, sealer, clock, ids }),
    clock,
    ids,
    log,
    rateLimits: configuration.rateLimits,
    publicUrl: configuration.publicUrl,
    ready: () => ready,
    careSummary: () => careSummary({ metadata, clock }),
    increments,
    version,
  });
  return {
    metadata,
    services,
    hosting,
    http,
    clock,
    ids,
    sealer,
    async start() {
      await recover({ metadata, host, repository, clock, ids, log });
      worker.start();
      scheduler.start();
      ready = true;
    },
    async stop(graceMs) {
      ready = false;
      await http.close();
      await scheduler.stop();
      await worker.stop(graceMs);
      await host.close();
      await metadata.close();
    },
  };
}

/** A store that is empty though this metadata was used with one is most likely a disk that is not mounted; a new store there would hide that. */
async function requireStoreOf(metadata: Metadata, blobs: BlobStore, place: string): Promise<void> {
  if (!(await metadata.organizations.any())) return;
  const { done } = await blobs.list("")[Symbol.asyncIterator]().next();
  if (done !== true) return;
  throw new Error(
    `the snapshot store ${place} is empty, and the metadata was used with one that is not: is its disk mounted? To move a store, copy all of its files`,
  );
}

/** The driver is large and only needed while a snapshot is taken: it is loaded at the first. */
function lazySource(clock: Clock, options: MongoSourceOptions): SnapshotSource {
  let source: Promise<SnapshotSource> | undefined;
  return {
    async open(connectionString, signal) {
      source ??= import("../adapters/source-mongodb/source-mongodb.ts").then(({ createMongoSource }) =>
        createMongoSource(clock, options),
      );
      return (await source).open(connectionString, signal);
    },
  };
}

function lazyProbe(allowed: AllowedHosts): SourceProbe {
  return {
    async probe(connectionString, signal) {
      const { createMongoProbe } = await import("../adapters/source-mongodb/probe.ts");
      return createMongoProbe(allowed).probe(connectionString, signal);
    },
  };
}

function lazyRestores(clock: Clock, allowed: AllowedHosts): ExternalRestores {
  return {
    async open(connectionString, request, signal) {
      const { createExternalRestores } = await import("../adapters/source-mongodb/external-restore.ts");
      return createExternalRestores(clock, { allowedHosts: allowed }).open(connectionString, request, signal);
    },
  };
}

function instanceHosting(host: string, tls: boolean): InstanceHosting {
  const shown = host === "0.0.0.0" || host === "::" ? "127.0.0.1" : host.includes(":") ? `[${host}]` : host;
  return {
    serverVersion: embeddedServerVersion,
    connectionString: ({ id, port }) =>
      port === undefined
        ? undefined
        : `mongodb://${shown}:${port}/?authSource=admin&replicaSet=telamon-${id.slice(-6)}${tls ? "&tls=true" : ""}`,
  };
}
